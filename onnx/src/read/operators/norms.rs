//! Normalizations.

use receptive_layers::graph::{Arithmetic, Function, Op, ParameterKind, Reduction};

use crate::read::call::Call;
use crate::read::fault::{Result, invalid, unsupported};
use crate::read::operand::Operand;
use crate::read::shape::{self, length};

/// `BatchNormalization` of inference.
pub fn batch(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let attributes = call.attributes;
    let trains = attributes.flag("training_mode", false)?;
    if trains || (1..call.used.len()).any(|output| call.is_used(output)) {
        return unsupported("batch normalization of training");
    }
    if !attributes.flag("spatial", true)? {
        return unsupported("batch normalization of every element of the maps");
    }
    let epsilon = attributes.float("epsilon", 1e-5)?;
    let x = call.input(0)?;
    let shape = call.shape(&x);
    let Some(&channels) = shape.get(1) else {
        return invalid(format!("an operand of shape {shape:?}, expected channels"));
    };
    let mut operands = Vec::new();
    for index in 1..5 {
        let operand = call.input(index)?;
        let own = call.shape(&operand);
        if own != [channels] {
            return invalid(format!(
                "operand {index} has shape {own:?}, expected [{channels}]"
            ));
        }
        operands.push(operand);
    }
    if operands.iter().any(|operand| operand.tensor().is_none()) {
        let [weight, bias, mean, variance] = &operands[..] else {
            return invalid("an operand is missing");
        };
        let rank = shape.len();
        let mean = per_channel(call, mean, rank)?;
        let variance = per_channel(call, variance, rank)?;
        let centred = call.binary(&x, &mean, Arithmetic::Sub)?;
        let normal = divided_by_deviation(call, &centred, &variance, epsilon)?;
        return Ok(vec![scaled(call, &normal, Some(weight), Some(bias))?]);
    }
    let mut ids = vec![call.id(&x)?];
    for (index, operand) in operands.iter().enumerate() {
        let kind = match index {
            0 | 1 => ParameterKind::Trainable,
            _ => ParameterKind::Fixed,
        };
        ids.push(call.id_of_kind(operand, kind)?);
    }
    let result = call.state.node(Op::BatchNorm { epsilon }, ids, shape)?;
    Ok(vec![Operand::Value(result)])
}

/// Returns one number for each channel in the shape `[1, channels, 1, ..]`.
fn per_channel(call: &mut Call<'_, '_>, x: &Operand, rank: usize) -> Result<Operand> {
    let mut shape = vec![1; rank];
    shape[1] = call.shape(x).iter().product();
    call.reshape(x, shape)
}

/// `x / sqrt(variance + epsilon)`.
fn divided_by_deviation(
    call: &mut Call<'_, '_>,
    x: &Operand,
    variance: &Operand,
    epsilon: f64,
) -> Result<Operand> {
    let sum = call.scalar(variance, Arithmetic::Add, epsilon)?;
    let deviation = call.map(&sum, Op::Function(Function::Sqrt))?;
    call.binary(x, &deviation, Arithmetic::Div)
}

/// Product with one number for each channel, and sum with another.
fn scaled(
    call: &mut Call<'_, '_>,
    x: &Operand,
    weight: Option<&Operand>,
    bias: Option<&Operand>,
) -> Result<Operand> {
    let rank = call.shape(x).len();
    let mut result = x.clone();
    for (operand, arithmetic) in [(weight, Arithmetic::Mul), (bias, Arithmetic::Add)] {
        if let Some(operand) = operand {
            let operand = per_channel(call, operand, rank)?;
            result = call.binary(&result, &operand, arithmetic)?;
        }
    }
    Ok(result)
}

/// Mean and variance along axes, and `x` without the mean.
struct Moments {
    mean: Operand,
    variance: Operand,
    centred: Operand,
}

fn moments(call: &mut Call<'_, '_>, x: &Operand, axes: &[usize]) -> Result<Moments> {
    let mean = call.reduce(x, Reduction::Mean, axes)?;
    let centred = call.binary(x, &mean, Arithmetic::Sub)?;
    let square = call.binary(&centred, &centred, Arithmetic::Mul)?;
    let variance = call.reduce(&square, Reduction::Mean, axes)?;
    Ok(Moments {
        mean,
        variance,
        centred,
    })
}

/// Returns the length of the axis of channels.
fn channels(call: &Call<'_, '_>, x: &Operand) -> Result<usize> {
    match call.shape(x)[..] {
        [_, channels, _, ..] => Ok(channels),
        ref shape => invalid(format!("an operand of shape {shape:?}, expected maps")),
    }
}

/// `InstanceNormalization`: of each channel of each image.
pub fn instance(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let epsilon = call.attributes.float("epsilon", 1e-5)?;
    let (x, weight, bias) = (call.input(0)?, call.input(1)?, call.input(2)?);
    let channels = channels(call, &x)?;
    check_parameters(call, [&weight, &bias], channels)?;
    let axes: Vec<usize> = (2..call.shape(&x).len()).collect();
    let moments = moments(call, &x, &axes)?;
    let normal = divided_by_deviation(call, &moments.centred, &moments.variance, epsilon)?;
    Ok(vec![scaled(call, &normal, Some(&weight), Some(&bias))?])
}

fn check_parameters(call: &Call<'_, '_>, parameters: [&Operand; 2], count: usize) -> Result<()> {
    for parameter in parameters {
        let shape = call.shape(parameter);
        if shape != [count] {
            return invalid(format!(
                "a scale or bias of shape {shape:?}, expected [{count}]"
            ));
        }
    }
    Ok(())
}

/// `GroupNormalization`, with a scale and bias for each group (opset 18) or each channel (opset 21).
pub fn group(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let epsilon = call.attributes.float("epsilon", 1e-5)?;
    let groups = length(call.attributes.integer("num_groups", 0)?, "num_groups")?;
    let (x, mut weight, mut bias) = (call.input(0)?, call.input(1)?, call.input(2)?);
    let channels = channels(call, &x)?;
    if groups == 0 || !channels.is_multiple_of(groups) {
        return invalid(format!("{groups} groups of {channels} channels"));
    }
    let shape = call.shape(&x);
    if call.opset < 21 {
        check_parameters(call, [&weight, &bias], groups)?;
        for parameter in [&mut weight, &mut bias] {
            let column = call.reshape(parameter, vec![groups, 1])?;
            let expanded = call.expand(&column, vec![groups, channels / groups])?;
            *parameter = call.reshape(&expanded, vec![channels])?;
        }
    }
    check_parameters(call, [&weight, &bias], channels)?;
    let rest = shape::elements(&shape[1..])? / groups;
    let grouped = call.reshape(&x, vec![shape[0], groups, rest])?;
    let moments = moments(call, &grouped, &[2])?;
    let normal = divided_by_deviation(call, &moments.centred, &moments.variance, epsilon)?;
    let normal = call.reshape(&normal, shape)?;
    Ok(vec![scaled(call, &normal, Some(&weight), Some(&bias))?])
}

/// `LayerNormalization` along the axes from `axis`.
pub fn layer(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let epsilon = call.attributes.float("epsilon", 1e-5)?;
    let x = call.input(0)?;
    let rank = call.shape(&x).len();
    let first = shape::axis(call.attributes.integer("axis", -1)?, rank)?;
    let axes: Vec<usize> = (first..rank).collect();
    let moments = moments(call, &x, &axes)?;
    let mut result = divided_by_deviation(call, &moments.centred, &moments.variance, epsilon)?;
    let operands = [
        (call.optional(1), Arithmetic::Mul),
        (call.optional(2), Arithmetic::Add),
    ];
    for (operand, arithmetic) in operands {
        if let Some(operand) = operand {
            result = call.binary(&result, &operand, arithmetic)?;
        }
    }
    let mut results = vec![result];
    if call.is_used(1) || call.is_used(2) {
        let sum = call.scalar(&moments.variance, Arithmetic::Add, epsilon)?;
        let deviation = call.map(&sum, Op::Function(Function::Sqrt))?;
        let inverse = call.map(&deviation, Op::Function(Function::Reciprocal))?;
        results.extend([moments.mean, inverse]);
    }
    Ok(results)
}

/// `MeanVarianceNormalization`.
pub fn mean_variance(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let x = call.input(0)?;
    let axes = call.attributes.integers("axes")?.unwrap_or(&[0, 2, 3]);
    let axes = shape::axes(axes, call.shape(&x).len())?;
    let moments = moments(call, &x, &axes)?;
    let deviation = call.map(&moments.variance, Op::Function(Function::Sqrt))?;
    let deviation = call.scalar(&deviation, Arithmetic::Add, 1e-9)?;
    Ok(vec![call.binary(
        &moments.centred,
        &deviation,
        Arithmetic::Div,
    )?])
}

/// `LRN`, whose factor is divided by the size of the window.
pub fn local_response(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let attributes = call.attributes;
    let size = length(attributes.integer("size", 0)?, "size")?;
    if size == 0 {
        return invalid("the attribute size is 0 or missing");
    }
    if size.is_multiple_of(2) {
        // ONNX and PyTorch place such windows differently.
        return unsupported("a window of an even number of channels");
    }
    let alpha = attributes.float("alpha", 0.0001)?;
    let op = Op::LocalResponseNorm {
        size,
        alpha: alpha / size as f64,
        beta: attributes.float("beta", 0.75)?,
        k: attributes.float("bias", 1.0)?,
    };
    let x = call.input(0)?;
    let shape = call.shape(&x);
    Ok(vec![call.node(op, &[&x], shape)?])
}
