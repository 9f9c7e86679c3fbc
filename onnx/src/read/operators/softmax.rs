//! Softmax and its logarithm.

use receptive_layers::graph::{Arithmetic, Op, Reduction};

use crate::read::call::Call;
use crate::read::fault::Result;
use crate::read::operand::Operand;
use crate::read::shape;

/// `Softmax`.
pub fn softmax(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    along_axis(call, |call, x, axis| {
        let shape = call.shape(x);
        call.node(Op::Softmax { axis }, &[x], shape)
    })
}

/// `LogSoftmax`: `x - ln sum exp(x)`.
pub fn log_softmax(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    along_axis(call, |call, x, axis| {
        let sum = call.reduce(x, Reduction::LogSumExp, &[axis])?;
        call.binary(x, &sum, Arithmetic::Sub)
    })
}

/// Applies `function` along the attribute's axis. Before opset 13, the axes from this one were one axis.
fn along_axis(
    call: &mut Call<'_, '_>,
    function: fn(&mut Call<'_, '_>, &Operand, usize) -> Result<Operand>,
) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    let shape = call.shape(&x);
    let default = if call.opset < 13 { 1 } else { -1 };
    let axis = call.attributes.integer("axis", default)?;
    if call.opset < 13 && axis == shape.len() as i64 {
        // One element for each sum.
        let mut shape = shape.clone();
        shape.push(1);
        let column = call.reshape(&x, shape.clone())?;
        let result = function(call, &column, shape.len() - 1)?;
        return Ok(vec![call.reshape(&result, call.shape(&x))?]);
    }
    let axis = shape::axis(axis, shape.len())?;
    let is_last = shape[axis + 1..].iter().all(|&length| length == 1);
    if call.opset >= 13 || is_last {
        return Ok(vec![function(call, &x, axis)?]);
    }
    let rest = shape::elements(&shape[axis..])?;
    // The first axis stays, since it is the images.
    let flat = match axis {
        0 => vec![rest],
        1 => vec![shape[0], rest],
        _ => vec![shape[0], shape::elements(&shape[1..axis])?, rest],
    };
    let last = flat.len() - 1;
    let flat = call.reshape(&x, flat)?;
    let result = function(call, &flat, last)?;
    Ok(vec![call.reshape(&result, shape)?])
}
