//! Activation functions that Burn computes on both sides of a threshold, and combines by a mask.

use std::collections::HashMap;

use super::op::{Arithmetic, Function, Op};
use super::structure::Node;
use super::value::ValueId;

/// The masks of a recording: elements of a tensor compared with a number.
#[derive(Default)]
pub(super) struct Masks(HashMap<ValueId, Mask>);

/// The elements of `x` for which a comparison with a number holds.
#[derive(Debug, Clone, Copy)]
struct Mask {
    x: ValueId,
    comparison: Comparison,
    number: f64,
}

/// A comparison of the elements of a tensor with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Greater,
    GreaterEqual,
    LowerEqual,
}

impl Masks {
    /// Adds the mask `mask`.
    pub fn add(&mut self, mask: ValueId, x: ValueId, comparison: Comparison, number: f64) {
        let compared = Mask {
            x,
            comparison,
            number,
        };
        self.0.insert(mask, compared);
    }

    /// Returns the operation that replaces the elements of `x` under `mask` by `fill`, if there is one.
    pub fn filled(&self, x: ValueId, mask: ValueId, fill: f64) -> Option<Op> {
        let mask = self.0.get(&mask).filter(|mask| mask.x == x)?;
        match (mask.comparison, mask.number) {
            (Comparison::Greater | Comparison::GreaterEqual, number) if number == fill => {
                Some(Op::Clamp {
                    min: f64::NEG_INFINITY,
                    max: fill,
                })
            }
            (Comparison::LowerEqual, alpha) if fill == 0.0 => {
                Some(Op::Function(Function::ThresholdedRelu { alpha }))
            }
            _ => None,
        }
    }

    /// Returns the function of a tensor that equals `other` under `mask` and `tensor` elsewhere, and
    /// the tensor, if `nodes` compute them as Burn computes one of its activation functions.
    pub fn selected(
        &self,
        [tensor, mask, other]: [ValueId; 3],
        nodes: &[Node],
    ) -> Option<(Function, ValueId)> {
        let mask = self.0.get(&mask)?;
        let x = mask.x;
        match (mask.comparison, mask.number) {
            (Comparison::LowerEqual, 0.0) if tensor == x => {
                let (exponential, alpha) = scaled(other, nodes);
                let inner = before(exponential_minus_one(exponential, nodes)?, nodes);
                match inner {
                    // alpha * (exp(x / alpha) - 1)
                    Some((Op::Scalar(Arithmetic::Div, by), inner))
                        if *by == alpha && inner == x =>
                    {
                        Some((Function::Celu { alpha }, x))
                    }
                    _ => {
                        let argument = exponential_minus_one(exponential, nodes)?;
                        (argument == x).then_some((Function::Elu { alpha }, x))
                    }
                }
            }
            (Comparison::GreaterEqual, 0.0) => {
                let (positive, scale) = scaled(other, nodes);
                let (exponential, factor) = scaled(tensor, nodes);
                let argument = exponential_minus_one(exponential, nodes)?;
                let alpha = factor / scale;
                let selu = Function::Selu { alpha, scale };
                (positive == x && argument == x).then_some((selu, x))
            }
            // ln(1 + exp(x)), and x where the exponential is large
            (Comparison::Greater, _) if other == unscaled(x, nodes) => {
                let softplus = unscaled(tensor, nodes);
                let (Op::Function(Function::Ln), sum) = before(softplus, nodes)? else {
                    return None;
                };
                let (Op::Scalar(Arithmetic::Add, 1.0), exponential) = before(sum, nodes)? else {
                    return None;
                };
                let (Op::Function(Function::Exp), capped) = before(exponential, nodes)? else {
                    return None;
                };
                let (Op::Clamp { .. }, argument) = before(capped, nodes)? else {
                    return None;
                };
                (argument == x).then_some((Function::Softplus, other))
            }
            _ => None,
        }
    }
}

/// Returns the operation that computes `id`, and its first operand.
fn before(id: ValueId, nodes: &[Node]) -> Option<(&Op, ValueId)> {
    let mut latest = nodes.iter().rev();
    let node = latest.find(|node| node.outputs.contains(&id))?;
    Some((&node.op, *node.inputs.first()?))
}

/// Returns `x` and the factor of `x * factor`.
fn scaled(id: ValueId, nodes: &[Node]) -> (ValueId, f64) {
    match before(id, nodes) {
        Some((Op::Scalar(Arithmetic::Mul, factor), x)) => (x, *factor),
        _ => (id, 1.0),
    }
}

/// Returns `x` of `x * 1` and of `x / 1`.
fn unscaled(id: ValueId, nodes: &[Node]) -> ValueId {
    match before(id, nodes) {
        Some((Op::Scalar(Arithmetic::Mul | Arithmetic::Div, 1.0), x)) => x,
        _ => id,
    }
}

/// Returns `x` of `exp(x) - 1`.
fn exponential_minus_one(id: ValueId, nodes: &[Node]) -> Option<ValueId> {
    let (Op::Scalar(Arithmetic::Sub, 1.0), exponential) = before(id, nodes)? else {
        return None;
    };
    match before(exponential, nodes)? {
        (Op::Function(Function::Exp), x) => Some(x),
        _ => None,
    }
}
