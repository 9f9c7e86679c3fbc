//! Comparisons and logical operations of constants.

use std::cmp::Ordering;

use crate::read::call::Call;
use crate::read::evaluate;
use crate::read::fault::{Result, invalid, unsupported};
use crate::read::operand::Operand;
use crate::read::shape;
use crate::read::tensor::{Elements, Tensor};

/// `Equal`, `Less`, `And` and others of constants.
pub fn compare(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let what = "comparisons";
    let (Some(a), Some(b)) = (call.known(0, what)?, call.known(1, what)?) else {
        return invalid("an operand is missing");
    };
    let shape = shape::broadcast(&a.shape, &b.shape)?;
    call.state
        .fold(shape::elements(&shape)?, a.len().max(b.len()))?;
    // Truth values are 0 and 1, so that logical operations are arithmetic.
    let holds: fn(Ordering) -> bool = match call.operator {
        "Equal" => Ordering::is_eq,
        "Less" => Ordering::is_lt,
        "LessOrEqual" => Ordering::is_le,
        "Greater" => Ordering::is_gt,
        "GreaterOrEqual" => Ordering::is_ge,
        "Xor" => Ordering::is_ne,
        operator => {
            let (a, b) = (a.expanded(shape.clone()), b.expanded(shape.clone()));
            let (Some(a), Some(b)) = (a.as_integers(), b.as_integers()) else {
                return invalid("the operands are floats, expected truth values");
            };
            let pairs = a.iter().zip(b);
            let elements = pairs.map(|(a, b)| if operator == "And" { a & b } else { a | b });
            return Ok(vec![Tensor::integers(shape, elements.collect()).into()]);
        }
    };
    Ok(vec![evaluate::compare(&a, &b, shape, holds).into()])
}

/// `Not` of constants.
pub fn not(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let Some(x) = call.known(0, "truth values")? else {
        return invalid("the operand is missing");
    };
    call.state.fold(x.len(), x.len())?;
    let Some(elements) = x.as_integers() else {
        return invalid("the operand is floats, expected truth values");
    };
    let elements = elements.iter().map(|&x| i64::from(x == 0)).collect();
    Ok(vec![Tensor::integers(x.shape.clone(), elements).into()])
}

/// `Where` with constants, or with a condition that is the same for all elements.
pub fn select(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let (a, b) = (call.input(1)?, call.input(2)?);
    let condition = match call.known(0, "conditions")? {
        Some(condition) => condition,
        None => return invalid("the condition is missing"),
    };
    let Some(truths) = condition.as_integers() else {
        return invalid("the condition is floats, expected truth values");
    };
    let shape = shape::broadcast(&call.shape(&a), &call.shape(&b))?;
    let shape = shape::broadcast(&shape, &condition.shape)?;
    if truths.iter().all(|&truth| truth != 0) {
        return Ok(vec![call.expand(&a, shape)?]);
    }
    if truths.iter().all(|&truth| truth == 0) {
        return Ok(vec![call.expand(&b, shape)?]);
    }
    let (Some(a), Some(b)) = (a.tensor(), b.tensor()) else {
        return unsupported("a choice between elements that depend on the input");
    };
    let count = shape::elements(&shape)?;
    call.state
        .fold(count, a.len().max(b.len()).max(condition.len()))?;
    let (a, b) = (call.dense(a)?, call.dense(b)?);
    let [a, b, condition] = [&a, &b, &condition].map(|tensor| tensor.expanded(shape.clone()));
    let truths = condition.as_integers().unwrap_or_default().iter();
    let tensor = match (&a.elements, &b.elements) {
        (Elements::Floats(a), Elements::Floats(b)) => {
            let pairs = a.iter().zip(b.iter()).zip(truths);
            let elements = pairs.map(|((&a, &b), &truth)| if truth != 0 { a } else { b });
            Tensor::floats(shape, elements.collect())
        }
        (Elements::Integers(a), Elements::Integers(b)) => {
            let pairs = a.iter().zip(b.iter()).zip(truths);
            let elements = pairs.map(|((&a, &b), &truth)| if truth != 0 { a } else { b });
            Tensor::integers(shape, elements.collect())
        }
        _ => return invalid("the operands are floats and integers"),
    };
    Ok(vec![tensor.into()])
}
