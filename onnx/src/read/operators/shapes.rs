//! Operators that change the shape, and operators that change nothing.

use crate::proto::DataType;
use crate::read::call::Call;
use crate::read::fault::{Result, invalid, unsupported};
use crate::read::operand::Operand;
use crate::read::shape::{self, length};
use crate::read::tensor::{Elements, Tensor};

/// `Transpose`; without permutation it reverses the axes.
pub fn transpose(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    let rank = call.shape(&x).len();
    let axes = match call.attributes.integers("perm")? {
        None => (0..rank).rev().collect(),
        Some(given) => {
            if shape::axes(given, rank)?.len() != rank {
                return invalid(format!("the permutation {given:?} of {rank} axes"));
            }
            let axes = given.iter().map(|&axis| shape::axis(axis, rank));
            axes.collect::<Result<Vec<_>>>()?
        }
    };
    Ok(vec![call.permute(&x, axes)?])
}

/// `Reshape`. 0 is the length of the same axis, and -1 what is left.
pub fn reshape(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    let lengths = call.shape(&x);
    let Some(given) = call.integers(1, "shapes")? else {
        return invalid("the shape is missing");
    };
    let allows_zero = call.attributes.flag("allowzero", false)?;
    let mut shape = Vec::with_capacity(given.len());
    let mut open = None;
    for (axis, &number) in given.iter().enumerate() {
        shape.push(match number {
            0 if !allows_zero => match lengths.get(axis) {
                Some(&length) => length,
                None => return invalid(format!("the shape {given:?} for shape {lengths:?}")),
            },
            -1 if open.is_none() => {
                open = Some(axis);
                1
            }
            number => length(number, "a length")?,
        });
    }
    if let Some(axis) = open {
        let known = shape::elements(&shape)?;
        let all = shape::elements(&lengths)?;
        if known == 0 || !all.is_multiple_of(known) {
            return invalid(format!("shape {lengths:?} cannot become {given:?}"));
        }
        shape[axis] = all / known;
    }
    Ok(vec![call.reshape(&x, shape)?])
}

/// `Flatten` to two axes.
pub fn flatten(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    let lengths = call.shape(&x);
    let axis = call.attributes.integer("axis", 1)?;
    let axis = match axis == lengths.len() as i64 {
        true => lengths.len(),
        false => shape::axis(axis, lengths.len())?,
    };
    let shape = vec![
        shape::elements(&lengths[..axis])?,
        shape::elements(&lengths[axis..])?,
    ];
    Ok(vec![call.reshape(&x, shape)?])
}

/// Returns the axes that are an attribute or the second operand.
fn given_axes(call: &Call<'_, '_>) -> Result<Option<Vec<i64>>> {
    match call.integers(1, "axes")? {
        Some(axes) => Ok(Some(axes)),
        None => Ok(call.attributes.integers("axes")?.map(<[i64]>::to_vec)),
    }
}

/// `Squeeze`.
pub fn squeeze(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    let lengths = call.shape(&x);
    let axes = match given_axes(call)? {
        Some(axes) => shape::axes(&axes, lengths.len())?,
        None => (0..lengths.len())
            .filter(|&axis| lengths[axis] == 1)
            .collect(),
    };
    if let Some(&axis) = axes.iter().find(|&&axis| lengths[axis] != 1) {
        return invalid(format!("axis {axis} of shape {lengths:?} has not length 1"));
    }
    let kept = lengths
        .iter()
        .enumerate()
        .filter(|(axis, _)| !axes.contains(axis));
    let shape = kept.map(|(_, &length)| length).collect();
    Ok(vec![call.reshape(&x, shape)?])
}

/// `Unsqueeze`.
pub fn unsqueeze(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    let mut shape = call.shape(&x);
    let Some(axes) = given_axes(call)? else {
        return invalid("the axes are missing");
    };
    let rank = shape.len() + axes.len();
    if rank > shape::MAX_RANK {
        return unsupported(format!(
            "a tensor of {rank} axes, expected at most {}",
            shape::MAX_RANK
        ));
    }
    for axis in shape::axes(&axes, rank)? {
        shape.insert(axis, 1);
    }
    Ok(vec![call.reshape(&x, shape)?])
}

/// `Expand`: both shapes are broadcast.
pub fn expand(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    let Some(given) = call.integers(1, "shapes")? else {
        return invalid("the shape is missing");
    };
    let given = given.iter().map(|&number| length(number, "a length"));
    let given = given.collect::<Result<Vec<_>>>()?;
    let shape = shape::broadcast(&call.shape(&x), &given)?;
    Ok(vec![call.expand(&x, shape)?])
}

/// `Tile`: copies along each axis.
pub fn tile(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let mut x = call.input(0)?;
    let Some(repeats) = call.integers(1, "numbers of copies")? else {
        return invalid("the numbers of copies are missing");
    };
    let lengths = call.shape(&x);
    if repeats.len() != lengths.len() {
        return invalid(format!(
            "{} numbers of copies for {} axes",
            repeats.len(),
            lengths.len()
        ));
    }
    for (axis, (&length, &copies)) in lengths.iter().zip(&repeats).enumerate() {
        let copies = self::length(copies, "a number of copies")?;
        let mut shape = call.shape(&x);
        shape[axis] = length.saturating_mul(copies);
        x = match (length, copies) {
            (_, 1) => x,
            (1, _) => call.expand(&x, shape)?,
            _ => {
                call.state.fold(shape[axis], 0)?;
                let indices = (0..shape[axis]).map(|index| index % length);
                call.select(&x, axis, indices.collect())?
            }
        };
    }
    Ok(vec![x])
}

/// `Identity`.
pub fn identity(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    Ok(vec![call.input(0)?])
}

/// `Dropout` of inference.
pub fn dropout(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    if call.is_used(1) {
        return unsupported("the mask of the dropout");
    }
    let trains = call.number(2, "training modes")?.unwrap_or(0.0) != 0.0;
    let ratio = call.number(1, "ratios").ok().flatten().unwrap_or(0.5);
    if trains && ratio != 0.0 {
        return unsupported("dropout of training");
    }
    Ok(vec![call.input(0)?])
}

/// `Cast`. Numbers that depend on the input are float32 whatever their type in the file.
pub fn cast(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    if call.operator == "CastLike" {
        let is_integer = match call.input(1)? {
            Operand::Constant(constant) => constant.tensor.is_integer(),
            Operand::Value(_) => false,
            Operand::Integers(_) => true,
        };
        let to = if is_integer {
            DataType::Int64
        } else {
            DataType::Float
        };
        return Ok(vec![converted(call, &x, to)?]);
    }
    let to = call.attributes.integer("to", 0)?;
    let to = i32::try_from(to)
        .ok()
        .and_then(|to| DataType::try_from(to).ok());
    match to {
        None | Some(DataType::Undefined | DataType::String) => {
            unsupported("a type other than numbers")
        }
        Some(to) => Ok(vec![converted(call, &x, to)?]),
    }
}

fn converted(call: &mut Call<'_, '_>, x: &Operand, to: DataType) -> Result<Operand> {
    let is_float = matches!(
        to,
        DataType::Float | DataType::Double | DataType::Float16 | DataType::Bfloat16
    );
    let tensor = match x {
        Operand::Constant(constant) => &constant.tensor,
        Operand::Integers(id) if is_float => return Ok(Operand::Value(*id)),
        Operand::Integers(_) if matches!(to, DataType::Int32 | DataType::Int64) => {
            return Ok(x.clone());
        }
        Operand::Value(_) if is_float => return Ok(x.clone()),
        _ => return unsupported("rounding of numbers that depend on the input"),
    };
    if is_float && !tensor.is_integer() {
        return Ok(x.clone());
    }
    call.state.fold(tensor.len(), tensor.len())?;
    let tensor = call.dense(tensor)?;
    let shape = tensor.shape.clone();
    let truth = to == DataType::Bool;
    Ok(match &tensor.elements {
        Elements::Integers(elements) if is_float => {
            Tensor::floats(shape, elements.iter().map(|&x| x as f32).collect())
        }
        Elements::Integers(elements) => {
            let number = |&x: &i64| if truth { i64::from(x != 0) } else { x };
            Tensor::integers(shape, elements.iter().map(number).collect())
        }
        Elements::Fill(_) => tensor.dense(),
        // The fraction is cut off.
        Elements::Floats(elements) => {
            let number = |&x: &f32| if truth { i64::from(x != 0.0) } else { x as i64 };
            Tensor::integers(shape, elements.iter().map(number).collect())
        }
    }
    .into())
}
