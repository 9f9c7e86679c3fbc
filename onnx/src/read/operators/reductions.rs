//! Reductions.

use receptive_layers::graph::{Arithmetic, Function, Op, Reduction};

use super::radial;
use crate::read::call::Call;
use crate::read::fault::{Result, invalid};
use crate::read::operand::Operand;
use crate::read::shape;

/// `ReduceMean` and others, with the axes as an attribute or operand.
pub fn reduce(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let reduction = match call.operator {
        "ReduceMean" => Reduction::Mean,
        "ReduceSum" => Reduction::Sum,
        "ReduceMax" => Reduction::Max,
        "ReduceMin" => Reduction::Min,
        "ReduceProd" => Reduction::Product,
        "ReduceL1" => Reduction::L1,
        "ReduceL2" => Reduction::L2,
        "ReduceSumSquare" => Reduction::SumOfSquares,
        "ReduceLogSum" => Reduction::LogSum,
        "ReduceLogSumExp" => Reduction::LogSumExp,
        other => return invalid(format!("{other} is no reduction")),
    };
    let x = call.input(0)?;
    let mut shape = call.shape(&x);
    let axes = match call.integers(1, "axes")? {
        Some(axes) => axes,
        None => call
            .attributes
            .integers("axes")?
            .unwrap_or_default()
            .to_vec(),
    };
    let keeps = call.attributes.flag("keepdims", true)?;
    let axes = match axes.is_empty() {
        true if call.attributes.flag("noop_with_empty_axes", false)? => Vec::new(),
        true => (0..shape.len()).collect(),
        false => shape::axes(&axes, shape.len())?,
    };
    if !keeps && let Some(distances) = radial::distances(call, &x, reduction, &axes)? {
        return Ok(vec![distances]);
    }
    // Without axes, the reduction is a function of each element.
    let reduced = match (axes.is_empty(), reduction) {
        (false, _) => call.reduce(&x, reduction, &axes)?,
        (true, Reduction::L1 | Reduction::L2) => call.map(&x, Op::Function(Function::Abs))?,
        (true, Reduction::SumOfSquares) => call.binary(&x, &x, Arithmetic::Mul)?,
        (true, Reduction::LogSum) => call.map(&x, Op::Function(Function::Ln))?,
        (true, _) => x.clone(),
    };
    if keeps {
        return Ok(vec![reduced]);
    }
    let mut axis = 0;
    shape.retain(|_| {
        axis += 1;
        !axes.contains(&(axis - 1))
    });
    Ok(vec![call.reshape(&reduced, shape)?])
}
