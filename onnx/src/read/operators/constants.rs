//! Operators whose results are constants.

use crate::proto::TensorProto;
use crate::read::call::Call;
use crate::read::error::ReadError;
use crate::read::fault::{Fault, Result, invalid, unsupported};
use crate::read::operand::Operand;
use crate::read::shape;
use crate::read::tensor::{Elements, Tensor};

/// Returns the tensor of an attribute.
fn decoded(call: &Call<'_, '_>, tensor: &TensorProto) -> Result<Tensor> {
    let tensor = call
        .state
        .initializers
        .attribute(tensor, "of the attribute value");
    tensor.map_err(|error| match error {
        ReadError::Tensor { message, .. } => Fault::Invalid(format!("the tensor has {message}")),
        error => Fault::Invalid(error.to_string()),
    })
}

/// `Constant`, with the tensor, number, or list as an attribute.
pub fn constant(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let attributes = call.attributes;
    if let Some(tensor) = attributes.tensor("value")? {
        return Ok(vec![decoded(call, tensor)?.into()]);
    }
    let tensor = if attributes.has("value_float") {
        Tensor::floats(
            Vec::new(),
            vec![attributes.float("value_float", 0.0)? as f32],
        )
    } else if attributes.has("value_int") {
        Tensor::integers(Vec::new(), vec![attributes.integer("value_int", 0)?])
    } else if let Some(floats) = attributes.floats("value_floats")? {
        Tensor::floats(vec![floats.len()], floats.to_vec())
    } else if let Some(integers) = attributes.integers("value_ints")? {
        Tensor::list(integers.to_vec())
    } else if attributes.0.is_empty() {
        return invalid("the attribute value is missing");
    } else {
        return unsupported("constants of texts, and sparse constants");
    };
    Ok(vec![tensor.into()])
}

/// `ConstantOfShape`.
pub fn constant_of_shape(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let Some(lengths) = call.integers(0, "shapes")? else {
        return invalid("the shape is missing");
    };
    let lengths = lengths
        .iter()
        .map(|&length| shape::length(length, "a length"));
    let shape = lengths.collect::<Result<Vec<_>>>()?;
    let count = shape::elements(&shape)?;
    let value = match call.attributes.tensor("value")? {
        Some(value) => decoded(call, value)?,
        None => Tensor::floats(vec![1], vec![0.0]),
    };
    let tensor = match &value.elements {
        Elements::Floats(value) if value.len() == 1 => Tensor::filled(shape, value[0]),
        Elements::Integers(value) if value.len() == 1 => {
            call.state.fold(count, 0)?;
            Tensor::integers(shape, vec![value[0]; count])
        }
        _ => {
            return invalid(format!(
                "the value has {} elements, expected 1",
                value.len()
            ));
        }
    };
    Ok(vec![tensor.into()])
}

/// `Shape`, which may be that of some axes.
pub fn shape(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    let lengths = call.shape(&x);
    let rank = lengths.len() as i64;
    let bound = |name: &str, default: i64| {
        let index = call.attributes.integer(name, default)?;
        let index = if index < 0 {
            index.saturating_add(rank)
        } else {
            index
        };
        Ok(index.clamp(0, rank) as usize)
    };
    let (start, end) = (bound("start", 0)?, bound("end", rank)?);
    let lengths = lengths.get(start..end).unwrap_or_default();
    let lengths = lengths.iter().map(|&length| length as i64).collect();
    Ok(vec![Tensor::list(lengths).into()])
}

/// `Size`.
pub fn size(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    let count = shape::elements(&call.shape(&x))?;
    Ok(vec![
        Tensor::integers(Vec::new(), vec![count as i64]).into(),
    ])
}

/// `Range` of constants.
pub fn range(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let operands = [0, 1, 2].map(|index| call.known(index, "bounds"));
    let mut bounds = Vec::new();
    for operand in operands {
        match operand? {
            Some(bound) if bound.len() == 1 => bounds.push(bound),
            _ => return invalid("a bound is not one number"),
        }
    }
    let numbers: Vec<f64> = bounds.iter().map(|bound| bound.doubles()[0]).collect();
    let count = ((numbers[1] - numbers[0]) / numbers[2]).ceil().max(0.0);
    if !count.is_finite() {
        return invalid("the step is 0, or a bound is not finite");
    }
    let count = count as usize;
    call.state.fold(count, 0)?;
    let integers: Option<Vec<i64>> = bounds
        .iter()
        .map(|bound| bound.as_integers().map(|list| list[0]))
        .collect();
    let tensor = match integers {
        Some(bounds) => {
            let number = |i: usize| bounds[0].saturating_add(bounds[2].saturating_mul(i as i64));
            Tensor::list((0..count).map(number).collect())
        }
        None => {
            let number = |i: usize| (numbers[0] + numbers[2] * i as f64) as f32;
            Tensor::floats(vec![count], (0..count).map(number).collect())
        }
    };
    Ok(vec![tensor.into()])
}
