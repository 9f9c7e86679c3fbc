//! Element-wise arithmetic.

use receptive_layers::graph::Arithmetic;

use crate::read::call::Call;
use crate::read::fault::{Result, invalid, unsupported};
use crate::read::operand::Operand;
use crate::read::shape;
use crate::read::tensor::Tensor;

/// `Add`, `Sub`, `Mul`, `Div` and `Pow`.
pub fn binary(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let arithmetic = match call.operator {
        "Add" => Arithmetic::Add,
        "Sub" => Arithmetic::Sub,
        "Mul" => Arithmetic::Mul,
        "Div" => Arithmetic::Div,
        _ => Arithmetic::Pow,
    };
    let (a, b) = (call.input(0)?, call.input(1)?);
    Ok(vec![call.binary(&a, &b, arithmetic)?])
}

/// `Min`, `Max`, `Sum` and `Mean` of any number of tensors.
pub fn variadic(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let arithmetic = match call.operator {
        "Min" => Arithmetic::Min,
        "Max" => Arithmetic::Max,
        _ => Arithmetic::Add,
    };
    let mut result = call.input(0)?;
    for index in 1..call.inputs.len() {
        let other = call.input(index)?;
        result = call.binary(&result, &other, arithmetic)?;
    }
    if call.operator == "Mean" {
        result = call.scalar(&result, Arithmetic::Div, call.inputs.len() as f64)?;
    }
    Ok(vec![result])
}

/// `Mod` of constants.
pub fn remainder(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let what = "operands";
    let (Some(a), Some(b)) = (call.known(0, what)?, call.known(1, what)?) else {
        return invalid("an operand is missing");
    };
    let shape = shape::broadcast(&a.shape, &b.shape)?;
    call.state
        .fold(shape::elements(&shape)?, a.len().max(b.len()))?;
    let (a, b) = (a.expanded(shape.clone()), b.expanded(shape.clone()));
    let (Some(a), Some(b)) = (a.as_integers(), b.as_integers()) else {
        return unsupported("the remainder of floats");
    };
    let truncates = call.attributes.flag("fmod", false)?;
    let remainders = a.iter().zip(b).map(|(a, b)| {
        let remainder = a.checked_rem(*b)?;
        // The remainder has the sign of the divisor, unless fmod is set.
        let differs = remainder != 0 && (remainder < 0) != (*b < 0);
        Some(if differs && !truncates {
            remainder + b
        } else {
            remainder
        })
    });
    match remainders.collect::<Option<Vec<_>>>() {
        Some(remainders) => Ok(vec![Tensor::integers(shape, remainders).into()]),
        None => invalid("integers are divided by zero"),
    }
}
