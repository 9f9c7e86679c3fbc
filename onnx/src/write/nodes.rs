//! The operators of each node.

use receptive_layers::graph::{Arithmetic, ConvTranspose2d, Node, Op, Reduction, ValueData};

use super::attributes::{float, integer, integers, tensor};
use super::error::WriteError;
use super::tensors::signed;
use super::writer::Writer;
use super::{functions, interpolation, pools, tensors};
use crate::proto::AttributeProto;

/// Writes the operators of `node`.
///
/// # Errors
///
/// [`WriteError::Operation`] if there are none, [`WriteError::NoElements`] if a constant has no elements.
pub fn write(node: &Node, writer: &mut Writer<'_>) -> Result<(), WriteError> {
    let name = node.name.as_str();
    let unsupported = || WriteError::Operation {
        node: name.to_owned(),
        operation: node.op.word().to_owned(),
    };
    let (&[output], false) = (&node.outputs[..], node.inputs.is_empty()) else {
        return Err(unsupported());
    };
    let graph = writer.graph;
    let shape = |index: usize| graph.shape(node.inputs[index]);
    let simple: (&str, Vec<AttributeProto>) = match &node.op {
        Op::Linear if shape(0).len() == 2 => return fully_connected(node, writer),
        Op::MaxPool2d { window, dilation } => {
            return pools::max(node, window, *dilation, writer);
        }
        Op::AvgPool2d {
            window,
            count_include_pad,
        } => return pools::mean(node, window, *count_include_pad, writer),
        Op::AdaptiveAvgPool2d { output: [1, 1] } => ("GlobalAveragePool", Vec::new()),
        Op::AdaptiveAvgPool2d { output } => return pools::adaptive_mean(node, *output, writer),
        Op::Conv2d(conv) => {
            let [[top, bottom], [left, right]] = conv.padding;
            let weight = shape(1);
            let attributes = vec![
                integers("kernel_shape", &weight[2..]),
                integers("strides", &conv.stride),
                integers("pads", &[top, left, bottom, right]),
                integers("dilations", &conv.dilation),
                integer("group", conv.groups as i64),
            ];
            ("Conv", attributes)
        }
        Op::ConvTranspose2d(conv) => return transposed_convolution(node, conv, writer),
        Op::BatchNorm { epsilon } => ("BatchNormalization", vec![float("epsilon", *epsilon)]),
        Op::LocalResponseNorm {
            size,
            alpha,
            beta,
            k,
        } if size % 2 == 1 => {
            let attributes = vec![
                integer("size", *size as i64),
                // ONNX divides the sum of squares by the size.
                float("alpha", alpha * *size as f64),
                float("beta", *beta),
                float("bias", *k),
            ];
            ("LRN", attributes)
        }
        Op::RadialBasis => return radial_basis(node, writer),
        Op::Relu => ("Relu", Vec::new()),
        Op::Tanh => ("Tanh", Vec::new()),
        Op::Sigmoid => ("Sigmoid", Vec::new()),
        Op::Softmax { axis } => ("Softmax", vec![integer("axis", *axis as i64)]),
        Op::Binary(arithmetic) => return broadcast(node, operator(*arithmetic), writer),
        Op::Prelu => return broadcast(node, "PRelu", writer),
        Op::Function(function) => return functions::write(node, *function, writer),
        Op::Resample { axis, taps } => return interpolation::write(node, *axis, taps, writer),
        Op::Concat { axis } if is_padding(node, writer) => return padding(node, *axis, writer),
        Op::Concat { axis } => return concatenation(node, *axis, writer),
        Op::Permute { axes } => ("Transpose", vec![integers("perm", axes)]),
        Op::Select { axis } => ("Gather", vec![integer("axis", *axis as i64)]),
        Op::Matmul => ("MatMul", Vec::new()),
        Op::Mean { axes } => return reduce(node, Reduction::Mean, axes, writer),
        Op::Reduce { reduction, axes } => return reduce(node, *reduction, axes, writer),
        // A product, and a sum if there is a bias.
        Op::Linear => return linear(node, writer),
        Op::Clamp { .. }
        | Op::Scalar(..)
        | Op::Reshape
        | Op::Expand
        | Op::Slice { .. }
        | Op::Pad { .. } => return with_constants(node, writer),
        _ => return Err(unsupported()),
    };
    let mut inputs = Vec::with_capacity(node.inputs.len());
    for &input in &node.inputs {
        inputs.push(writer.read(input, name)?);
    }
    let output = writer.written(output, name);
    writer.operator(name, simple.0, inputs, output, simple.1);
    Ok(())
}

fn operator(arithmetic: Arithmetic) -> &'static str {
    match arithmetic {
        Arithmetic::Add => "Add",
        Arithmetic::Sub => "Sub",
        Arithmetic::Mul => "Mul",
        Arithmetic::Div => "Div",
        Arithmetic::Min => "Min",
        Arithmetic::Max => "Max",
        Arithmetic::Pow => "Pow",
    }
}

/// Writes an element-wise operator of two tensors. An operand with one number for each image of the recorded batch is written
/// for one image, and broadcast over those of another batch.
fn broadcast(node: &Node, operator: &str, writer: &mut Writer<'_>) -> Result<(), WriteError> {
    let name = node.name.as_str();
    let open = writer.has_open_batch(node.outputs[0]);
    let output_shape = writer.graph.shape(node.outputs[0]).to_vec();
    let mut inputs = Vec::with_capacity(node.inputs.len());
    for (index, &id) in node.inputs.iter().enumerate() {
        let shape = writer.graph.shape(id);
        let is_per_image =
            open && shape.len() == output_shape.len() && shape.first() == output_shape.first();
        inputs.push(match fill(node, index, writer).filter(|_| is_per_image) {
            Some(number) => {
                let shape = [&[1], &shape[1..]].concat();
                let elements = vec![number as f32; shape.iter().product()];
                writer.floats(name, "constant", &shape, &elements)
            }
            None => writer.read(id, name)?,
        });
    }
    let output = writer.written(node.outputs[0], name);
    writer.operator(name, operator, inputs, output, Vec::new());
    Ok(())
}

/// Writes a concatenation. A constant with one number for each image is that of the batch's size.
fn concatenation(node: &Node, axis: usize, writer: &mut Writer<'_>) -> Result<(), WriteError> {
    let name = node.name.as_str();
    let is_per_image = writer.has_open_batch(node.outputs[0]) && axis > 0;
    let mut inputs = Vec::with_capacity(node.inputs.len());
    for (index, &id) in node.inputs.iter().enumerate() {
        inputs.push(match fill(node, index, writer).filter(|_| is_per_image) {
            Some(number) => {
                let images = writer.read(writer.graph.input, name)?;
                let shape = writer.step(name, "shape", "Shape", vec![images], Vec::new());
                let first = writer.integers(name, "first", &[0]);
                let batch = writer.step(name, "batch", "Gather", vec![shape, first], Vec::new());
                let rest = signed(writer.graph.shape(id)[1..].iter().copied());
                let rest = writer.integers(name, "rest", &rest);
                let lengths = vec![integer("axis", 0)];
                let shape = writer.step(name, "lengths", "Concat", vec![batch, rest], lengths);
                let value = vec![tensor("value", tensors::floats("", &[1], &[number as f32]))];
                writer.step(name, "constant", "ConstantOfShape", vec![shape], value)
            }
            None => writer.read(id, name)?,
        });
    }
    let output = writer.written(node.outputs[0], name);
    let attributes = vec![integer("axis", axis as i64)];
    writer.operator(name, "Concat", inputs, output, attributes);
    Ok(())
}

/// Writes a transposed convolution. Runtimes take fewer added rows and columns than the stride: more are those of zeros after
/// the input.
fn transposed_convolution(
    node: &Node,
    conv: &ConvTranspose2d,
    writer: &mut Writer<'_>,
) -> Result<(), WriteError> {
    let name = node.name.as_str();
    let kernel = writer.graph.shape(node.inputs[1])[2..].to_vec();
    let mut inputs = Vec::with_capacity(node.inputs.len());
    for &input in &node.inputs {
        inputs.push(writer.read(input, name)?);
    }
    let (mut padding, mut added) = (conv.padding, conv.output_padding);
    let mut zeros = [0; 2];
    for axis in [0, 1] {
        if added[axis] >= conv.stride[axis] {
            let after = &mut padding[axis][1];
            zeros[axis] = added[axis]
                .saturating_sub(*after)
                .div_ceil(conv.stride[axis]);
            *after = *after + zeros[axis] * conv.stride[axis] - added[axis];
            added[axis] = 0;
        }
    }
    if zeros != [0, 0] {
        let pads = signed([0, 0, 0, 0, 0, 0, zeros[0], zeros[1]].into_iter());
        let pads = writer.integers(name, "pads", &pads);
        let padded = vec![inputs[0].clone(), pads];
        inputs[0] = writer.step(name, "padded", "Pad", padded, Vec::new());
    }
    let [[top, bottom], [left, right]] = padding;
    let attributes = vec![
        integers("kernel_shape", &kernel),
        integers("strides", &conv.stride),
        integers("pads", &[top, left, bottom, right]),
        integers("output_padding", &added),
        integers("dilations", &conv.dilation),
        integer("group", conv.groups as i64),
    ];
    let output = writer.written(node.outputs[0], name);
    writer.operator(name, "ConvTranspose", inputs, output, attributes);
    Ok(())
}

/// Writes `Gemm` with the weight in PyTorch's layout, `[out, in]`.
fn fully_connected(node: &Node, writer: &mut Writer<'_>) -> Result<(), WriteError> {
    let name = node.name.as_str();
    let mut inputs = vec![
        writer.read(node.inputs[0], name)?,
        writer.read_transposed(node.inputs[1], name)?,
    ];
    if let Some(&bias) = node.inputs.get(2) {
        inputs.push(writer.read(bias, name)?);
    }
    let output = writer.written(node.outputs[0], name);
    let attributes = vec![integer("transB", 1)];
    writer.operator(name, "Gemm", inputs, output, attributes);
    Ok(())
}

/// Writes a product, and a sum with the bias, for an input of other than two axes.
fn linear(node: &Node, writer: &mut Writer<'_>) -> Result<(), WriteError> {
    let name = node.name.as_str();
    let inputs = vec![
        writer.read(node.inputs[0], name)?,
        writer.read(node.inputs[1], name)?,
    ];
    let output = writer.written(node.outputs[0], name);
    let Some(&bias) = node.inputs.get(2) else {
        writer.operator(name, "MatMul", inputs, output, Vec::new());
        return Ok(());
    };
    let product = writer.step(name, "product", "MatMul", inputs, Vec::new());
    let inputs = vec![product, writer.read(bias, name)?];
    writer.operator(name, "Add", inputs, output, Vec::new());
    Ok(())
}

/// Returns the number that all elements of an operand equal, if the operand is such a constant.
fn fill(node: &Node, index: usize, writer: &Writer<'_>) -> Option<f64> {
    match writer.graph.value(node.inputs[index]).data {
        Some(ValueData::Fill(number)) => Some(number),
        _ => None,
    }
}

/// Whether a concatenation adds constants of one number to a single other operand. As a constant, such an operand
/// would fix the batch size.
fn is_padding(node: &Node, writer: &Writer<'_>) -> bool {
    let fills: Vec<Option<f64>> = (0..node.inputs.len())
        .map(|index| fill(node, index, writer))
        .collect();
    let others = fills.iter().filter(|fill| fill.is_none()).count();
    let mut numbers = fills.iter().flatten();
    let first = numbers.next();
    others == 1 && first.is_some() && numbers.all(|number| Some(number) == first)
}

/// Writes a concatenation with constants as a padding.
fn padding(node: &Node, axis: usize, writer: &mut Writer<'_>) -> Result<(), WriteError> {
    let name = node.name.as_str();
    let rank = writer.graph.shape(node.outputs[0]).len();
    let mut pads = vec![0; 2 * rank];
    let (mut operand, mut number) = (None, 0.0);
    for (index, &id) in node.inputs.iter().enumerate() {
        match fill(node, index, writer) {
            Some(value) => {
                number = value;
                let after = if operand.is_some() { rank } else { 0 };
                pads[after + axis] += writer.graph.shape(id)[axis] as i64;
            }
            None => operand = Some(id),
        }
    }
    let operand = operand.ok_or_else(|| WriteError::Operation {
        node: name.to_owned(),
        operation: node.op.word().to_owned(),
    })?;
    let inputs = vec![
        writer.read(operand, name)?,
        writer.integers(name, "pads", &pads),
        writer.floats(name, "value", &[], &[number as f32]),
    ];
    let output = writer.written(node.outputs[0], name);
    writer.operator(name, "Pad", inputs, output, Vec::new());
    Ok(())
}

/// Writes a reduction. Its axes are an operand since opset 18, those of a sum since opset 13.
fn reduce(
    node: &Node,
    reduction: Reduction,
    axes: &[usize],
    writer: &mut Writer<'_>,
) -> Result<(), WriteError> {
    let name = node.name.as_str();
    let operator = match reduction {
        Reduction::Sum => "ReduceSum",
        Reduction::Mean => "ReduceMean",
        Reduction::Product => "ReduceProd",
        Reduction::Max => "ReduceMax",
        Reduction::Min => "ReduceMin",
        Reduction::L1 => "ReduceL1",
        Reduction::L2 => "ReduceL2",
        Reduction::SumOfSquares => "ReduceSumSquare",
        Reduction::LogSum => "ReduceLogSum",
        Reduction::LogSumExp => "ReduceLogSumExp",
    };
    let mut inputs = vec![writer.read(node.inputs[0], name)?];
    let mut attributes = Vec::new();
    if reduction == Reduction::Sum || writer.opset() >= 18 {
        inputs.push(writer.integers(name, "axes", &signed(axes.iter().copied())));
    } else {
        attributes.push(integers("axes", axes));
    }
    let output = writer.written(node.outputs[0], name);
    writer.operator(name, operator, inputs, output, attributes);
    Ok(())
}

/// Writes `sum_i (x_i - c_i)^2` for each centre `c`.
fn radial_basis(node: &Node, writer: &mut Writer<'_>) -> Result<(), WriteError> {
    let name = node.name.as_str();
    let input = writer.read(node.inputs[0], name)?;
    let centres = writer.read(node.inputs[1], name)?;
    let output = writer.written(node.outputs[0], name);
    let axis = writer.integers(name, "axis", &[1]);
    // [batch, 1, in] - [out, in]
    let row = writer.step(name, "row", "Unsqueeze", vec![input, axis], Vec::new());
    let difference = writer.step(name, "difference", "Sub", vec![row, centres], Vec::new());
    let factors = vec![difference.clone(), difference];
    let square = writer.step(name, "square", "Mul", factors, Vec::new());
    let axis = writer.integers(name, "summed", &[2]);
    let attributes = vec![integer("keepdims", 0)];
    writer.operator(name, "ReduceSum", vec![square, axis], output, attributes);
    Ok(())
}

/// Writes an operator of one input whose parameters are constants.
fn with_constants(node: &Node, writer: &mut Writer<'_>) -> Result<(), WriteError> {
    let name = node.name.as_str();
    let graph = writer.graph;
    let (source, target) = (graph.value(node.inputs[0]), graph.value(node.outputs[0]));
    let mut inputs = vec![writer.read(node.inputs[0], name)?];
    let operator = match &node.op {
        Op::Clamp { min, max } => {
            for (word, bound) in [("min", *min), ("max", *max)] {
                inputs.push(match bound.is_finite() {
                    true => writer.floats(name, word, &[], &[bound as f32]),
                    false => String::new(),
                });
            }
            "Clip"
        }
        Op::Scalar(arithmetic, number) => {
            inputs.push(writer.floats(name, "number", &[], &[*number as f32]));
            operator(*arithmetic)
        }
        Op::Reshape => {
            let mut shape = signed(target.shape.iter().copied());
            if writer.has_open_batch(node.outputs[0]) {
                // The length of the input's axis.
                shape[0] = 0;
            }
            inputs.push(writer.integers(name, "shape", &shape));
            "Reshape"
        }
        Op::Expand => {
            let mut shape = signed(target.shape.iter().copied());
            if writer.has_open_batch(node.outputs[0]) {
                // Broadcast with the input's axis; a constant is broadcast by its reader.
                shape[0] = 1;
            }
            inputs.push(writer.integers(name, "shape", &shape));
            "Expand"
        }
        Op::Slice { ranges } => {
            let whole = |(axis, range): &(usize, &receptive_layers::graph::SliceRange)| {
                (range.start, range.end, range.step) != (0, source.shape[*axis], 1)
            };
            let cut: Vec<_> = ranges.iter().enumerate().filter(whole).collect();
            let lists = [
                ("starts", signed(cut.iter().map(|(_, range)| range.start))),
                ("ends", signed(cut.iter().map(|(_, range)| range.end))),
                ("axes", signed(cut.iter().map(|&(axis, _)| axis))),
                ("steps", signed(cut.iter().map(|(_, range)| range.step))),
            ];
            if cut.is_empty() {
                "Identity"
            } else {
                for (word, list) in lists {
                    inputs.push(writer.integers(name, word, &list));
                }
                "Slice"
            }
        }
        Op::Pad { padding, value } => {
            let before = padding.iter().map(|sides| sides[0]);
            let after = padding.iter().map(|sides| sides[1]);
            let pads = signed(before.chain(after));
            inputs.push(writer.integers(name, "pads", &pads));
            inputs.push(writer.floats(name, "value", &[], &[*value as f32]));
            "Pad"
        }
        _ => {
            return Err(WriteError::Operation {
                node: name.to_owned(),
                operation: node.op.word().to_owned(),
            });
        }
    };
    let output = writer.written(node.outputs[0], name);
    writer.operator(name, operator, inputs, output, Vec::new());
    Ok(())
}
