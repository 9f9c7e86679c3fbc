//! Selection of entries by indices.

use crate::read::call::Call;
use crate::read::fault::{Result, invalid};
use crate::read::operand::Operand;
use crate::read::shape;

/// `Gather` with constant indices. A single index drops the axis.
pub fn gather(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    let lengths = call.shape(&x);
    let axis = shape::axis(call.attributes.integer("axis", 0)?, lengths.len())?;
    let Some(tensor) = call.known(1, "indices")? else {
        return invalid("the indices are missing");
    };
    let Some(list) = tensor.as_integers() else {
        return invalid("the indices are floats, expected integers");
    };
    let length = lengths[axis] as i64;
    let mut indices = Vec::with_capacity(list.len());
    for &index in list {
        if !(-length..length).contains(&index) {
            return invalid(format!("index {index} of an axis of length {length}"));
        }
        indices.push(index.rem_euclid(length) as usize);
    }
    let mut shape = lengths[..axis].to_vec();
    shape.extend(&tensor.shape);
    shape.extend(&lengths[axis + 1..]);
    let selected = match indices[..] {
        [index] if tensor.shape.is_empty() => call.slice_axis(&x, axis, index, index + 1)?,
        _ => call.select(&x, axis, indices)?,
    };
    Ok(vec![call.reshape(&selected, shape)?])
}
