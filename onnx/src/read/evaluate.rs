//! Evaluation of constants.

use std::cmp::Ordering;

use receptive_layers::graph::{Arithmetic, Function, Op, Reduction};

use super::fault::{Result, invalid};
use super::tensor::{Elements, Tensor, strides};

/// Returns the element-wise function `op` of `x`, if it is one of few functions.
pub fn map(op: &Op, tensor: &Tensor) -> Option<Tensor> {
    match &tensor.elements {
        Elements::Floats(elements) => {
            number(op, 0.0)?;
            let elements = elements
                .iter()
                .map(|&x| number(op, x.into()).unwrap_or(0.0) as f32);
            Some(Tensor::floats(tensor.shape.clone(), elements.collect()))
        }
        Elements::Fill(x) => {
            let x = number(op, f64::from(*x))?;
            Some(Tensor::filled(tensor.shape.clone(), x as f32))
        }
        Elements::Integers(elements) => {
            integer(op, 1)?;
            let elements = elements.iter().map(|&x| integer(op, x).unwrap_or(0));
            Some(Tensor::integers(tensor.shape.clone(), elements.collect()))
        }
    }
}

fn number(op: &Op, x: f64) -> Option<f64> {
    Some(match op {
        Op::Relu => x.max(0.0),
        Op::Clamp { min, max } => x.max(*min).min(*max),
        Op::Tanh => x.tanh(),
        Op::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Op::Scalar(arithmetic, number) => floats(*arithmetic, x, *number),
        Op::Function(Function::Exp) => x.exp(),
        Op::Function(Function::Ln) => x.ln(),
        Op::Function(Function::Sqrt) => x.sqrt(),
        Op::Function(Function::Abs) => x.abs(),
        Op::Function(Function::Neg) => -x,
        Op::Function(Function::Reciprocal) => 1.0 / x,
        Op::Function(Function::Sign) => match x == 0.0 {
            true => 0.0,
            false => x.signum(),
        },
        Op::Function(Function::Floor) => x.floor(),
        Op::Function(Function::Ceil) => x.ceil(),
        Op::Function(Function::Round) => x.round_ties_even(),
        Op::Function(Function::Sin) => x.sin(),
        Op::Function(Function::Cos) => x.cos(),
        _ => return None,
    })
}

fn integer(op: &Op, x: i64) -> Option<i64> {
    match op {
        Op::Relu => Some(x.max(0)),
        Op::Clamp { min, max } => Some((x as f64).max(*min).min(*max) as i64),
        Op::Function(Function::Abs) => Some(x.saturating_abs()),
        Op::Function(Function::Neg) => Some(x.saturating_neg()),
        Op::Function(Function::Sign) => Some(x.signum()),
        Op::Function(Function::Floor | Function::Ceil | Function::Round) => Some(x),
        _ => None,
    }
}

fn floats(arithmetic: Arithmetic, a: f64, b: f64) -> f64 {
    match arithmetic {
        Arithmetic::Add => a + b,
        Arithmetic::Sub => a - b,
        Arithmetic::Mul => a * b,
        Arithmetic::Div => a / b,
        Arithmetic::Min => a.min(b),
        Arithmetic::Max => a.max(b),
        Arithmetic::Pow => a.powf(b),
    }
}

/// Returns `None` for a division by zero and results that do not fit.
fn integers(arithmetic: Arithmetic, a: i64, b: i64) -> Option<i64> {
    match arithmetic {
        Arithmetic::Add => a.checked_add(b),
        Arithmetic::Sub => a.checked_sub(b),
        Arithmetic::Mul => a.checked_mul(b),
        Arithmetic::Div => a.checked_div(b),
        Arithmetic::Min => Some(a.min(b)),
        Arithmetic::Max => Some(a.max(b)),
        Arithmetic::Pow => a.checked_pow(u32::try_from(b).ok()?),
    }
}

/// Returns the arithmetic of two dense tensors that are broadcast to `shape`.
///
/// # Errors
///
/// Integers are divided by zero or overflow, or floats and integers are mixed.
pub fn binary(arithmetic: Arithmetic, a: &Tensor, b: &Tensor, shape: Vec<usize>) -> Result<Tensor> {
    // The exponent of a power may have another type.
    let b = match (arithmetic, a.is_integer(), b.is_integer()) {
        (Arithmetic::Pow, false, true) => {
            let exponents = b.doubles().into_iter().map(|x| x as f32);
            &Tensor::floats(b.shape.clone(), exponents.collect())
        }
        _ => b,
    };
    let (a, b) = (a.expanded(shape.clone()), b.expanded(shape.clone()));
    match (&a.elements, &b.elements) {
        (Elements::Floats(a), Elements::Floats(b)) => {
            let pairs = a.iter().zip(b.iter());
            let elements = pairs.map(|(&a, &b)| floats(arithmetic, a.into(), b.into()) as f32);
            Ok(Tensor::floats(shape, elements.collect()))
        }
        (Elements::Integers(a), Elements::Integers(b)) => {
            let pairs = a.iter().zip(b.iter());
            let elements = pairs.map(|(&a, &b)| integers(arithmetic, a, b));
            match elements.collect::<Option<Vec<_>>>() {
                Some(elements) => Ok(Tensor::integers(shape, elements)),
                None => invalid("integers are divided by zero, or overflow"),
            }
        }
        _ => invalid("the operands are floats and integers"),
    }
}

/// Returns whether `holds` for the elements of two dense tensors that are broadcast to `shape`, as 0 and 1.
pub fn compare(a: &Tensor, b: &Tensor, shape: Vec<usize>, holds: fn(Ordering) -> bool) -> Tensor {
    let (a, b) = (a.expanded(shape.clone()), b.expanded(shape.clone()));
    let elements = match (a.as_integers(), b.as_integers()) {
        (Some(a), Some(b)) => {
            let pairs = a.iter().zip(b);
            pairs.map(|(a, b)| i64::from(holds(a.cmp(b)))).collect()
        }
        _ => {
            let (a, b) = (a.doubles(), b.doubles());
            let pairs = a.iter().zip(&b);
            pairs
                .map(|(a, b)| i64::from(a.partial_cmp(b).is_some_and(holds)))
                .collect()
        }
    };
    Tensor::integers(shape, elements)
}

/// Returns the reduction of the dense tensor `x` along the axes of length 1 of `shape`.
pub fn reduce(reduction: Reduction, x: &Tensor, shape: Vec<usize>) -> Tensor {
    let mut sums: Vec<Vec<f64>> = vec![Vec::new(); shape.iter().product()];
    // The position in the result of each element.
    let steps = strides(&shape);
    let own = strides(&x.shape);
    for (index, number) in x.doubles().into_iter().enumerate() {
        let axes = own.iter().zip(&x.shape).zip(shape.iter().zip(&steps));
        let position: usize = axes
            .filter(|(_, (length, _))| **length != 1)
            .map(|((own, length), (_, step))| index / own % length * step)
            .sum();
        sums[position].push(number);
    }
    let numbers = sums.into_iter().map(|numbers| reduced(reduction, &numbers));
    match x.is_integer() {
        true => Tensor::integers(shape, numbers.map(|number| number as i64).collect()),
        false => Tensor::floats(shape, numbers.map(|number| number as f32).collect()),
    }
}

fn reduced(reduction: Reduction, numbers: &[f64]) -> f64 {
    let sum = |function: fn(f64) -> f64| numbers.iter().map(|&x| function(x)).sum::<f64>();
    match reduction {
        Reduction::Sum => sum(|x| x),
        Reduction::Mean => sum(|x| x) / numbers.len() as f64,
        Reduction::Product => numbers.iter().product(),
        Reduction::Max => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Reduction::Min => numbers.iter().copied().fold(f64::INFINITY, f64::min),
        Reduction::L1 => sum(f64::abs),
        Reduction::L2 => sum(|x| x * x).sqrt(),
        Reduction::SumOfSquares => sum(|x| x * x),
        Reduction::LogSum => sum(|x| x).ln(),
        Reduction::LogSumExp => sum(f64::exp).ln(),
    }
}
