//! The operators of each node.

use receptive_layers::graph::{Arithmetic, Node, Op, Pool2d, ValueData};

use super::attributes::{float, integer, integers};
use super::error::WriteError;
use super::writer::Writer;
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
        Op::MaxPool2d { window, dilation } => return max_pool(node, window, *dilation, writer),
        Op::AvgPool2d {
            window,
            count_include_pad: true,
        } if window.ceil => return padded_mean(node, window, writer),
        Op::AvgPool2d {
            window,
            count_include_pad,
        } => {
            let mut attributes = pool(window, &pads(node, window, [1, 1], writer));
            attributes.push(integer("count_include_pad", i64::from(*count_include_pad)));
            ("AveragePool", attributes)
        }
        Op::AdaptiveAvgPool2d { output: [1, 1] } => ("GlobalAveragePool", Vec::new()),
        Op::AdaptiveAvgPool2d { output } => return adaptive_pool(node, *output, writer),
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
        Op::BatchNorm { epsilon } => ("BatchNormalization", vec![float("epsilon", *epsilon)]),
        Op::LocalResponseNorm {
            size,
            alpha,
            beta,
            k,
        } => {
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
        Op::Binary(arithmetic) => return binary(node, *arithmetic, writer),
        Op::Concat { axis } if is_padding(node, writer) => return padding(node, *axis, writer),
        Op::Concat { axis } => ("Concat", vec![integer("axis", *axis as i64)]),
        Op::Permute { axes } => ("Transpose", vec![integers("perm", axes)]),
        Op::Select { axis } => ("Gather", vec![integer("axis", *axis as i64)]),
        Op::Matmul => ("MatMul", Vec::new()),
        // A product, and a sum if there is a bias.
        Op::Linear => return linear(node, writer),
        Op::Clamp { .. }
        | Op::Scalar(..)
        | Op::Mean { .. }
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
    }
}

/// Writes element-wise arithmetic. An operand with one number for each image of the recorded batch is written for one
/// image, and broadcast over those of another batch.
fn binary(node: &Node, arithmetic: Arithmetic, writer: &mut Writer<'_>) -> Result<(), WriteError> {
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
    writer.operator(name, operator(arithmetic), inputs, output, Vec::new());
    Ok(())
}

/// Returns the padding `[top, left, bottom, right]` of a pool. A last window that extends past the padding gets more,
/// since runtimes differ in their rounding.
fn pads(node: &Node, window: &Pool2d, dilation: [usize; 2], writer: &Writer<'_>) -> [usize; 4] {
    let input = writer.graph.shape(node.inputs[0]);
    let output = writer.graph.shape(node.outputs[0]);
    let end = |axis: usize| {
        let last = last_window_end(window, dilation[axis], output[2 + axis], axis);
        let before = window.padding[axis] + input[2 + axis];
        match window.ceil {
            true => last.saturating_sub(before).max(window.padding[axis]),
            false => window.padding[axis],
        }
    };
    [window.padding[0], window.padding[1], end(0), end(1)]
}

/// Returns the attributes of a pool.
fn pool(window: &Pool2d, pads: &[usize]) -> Vec<AttributeProto> {
    vec![
        integers("kernel_shape", &window.kernel),
        integers("strides", &window.stride),
        integers("pads", pads),
    ]
}

/// Writes `Pad` along height and width for the input of `node`, and returns the name of the result.
fn padded(
    node: &Node,
    [top, left, bottom, right]: [usize; 4],
    value: f32,
    writer: &mut Writer<'_>,
) -> Result<String, WriteError> {
    let name = node.name.as_str();
    let pads = signed([0, 0, top, left, 0, 0, bottom, right].into_iter());
    let padded = writer.intermediate(name, "padded");
    let inputs = vec![
        writer.read(node.inputs[0], name)?,
        writer.integers(name, "pads", &pads),
        writer.floats(name, "value", &[], &[value]),
    ];
    writer.operator(&padded, "Pad", inputs, padded.clone(), Vec::new());
    Ok(padded)
}

/// Writes the maximum of each window. Padding as wide as the kernel, which `MaxPool` does not take, is an operator.
fn max_pool(
    node: &Node,
    window: &Pool2d,
    dilation: [usize; 2],
    writer: &mut Writer<'_>,
) -> Result<(), WriteError> {
    let name = node.name.as_str();
    let pads = pads(node, window, dilation, writer);
    let is_wide = (0..4).any(|side| pads[side] >= window.kernel[side % 2]);
    let (input, pads) = match is_wide {
        true => (padded(node, pads, f32::NEG_INFINITY, writer)?, [0; 4]),
        false => (writer.read(node.inputs[0], name)?, pads),
    };
    let mut attributes = pool(window, &pads);
    if dilation != [1, 1] {
        attributes.push(integers("dilations", &dilation));
    }
    let output = writer.written(node.outputs[0], name);
    writer.operator(name, "MaxPool", vec![input], output, attributes);
    Ok(())
}

/// Returns the end of the last of `windows` windows along an axis, from the start of the padding.
fn last_window_end(window: &Pool2d, dilation: usize, windows: usize, axis: usize) -> usize {
    (windows - 1) * window.stride[axis] + (window.kernel[axis] - 1) * dilation + 1
}

/// Writes a mean that counts padding, and whose last windows may extend past the padding, which they do not count: zeros
/// and a mean that counts them.
fn padded_mean(node: &Node, window: &Pool2d, writer: &mut Writer<'_>) -> Result<(), WriteError> {
    let name = node.name.as_str();
    let (input, output) = (
        writer.graph.shape(node.inputs[0]),
        writer.graph.shape(node.outputs[0]),
    );
    let [top, left] = window.padding;
    let extra = [0, 1].map(|axis| {
        let end = last_window_end(window, 1, output[2 + axis], axis);
        end.saturating_sub(input[2 + axis] + 2 * window.padding[axis])
    });
    let padded = padded(node, [top, left, top, left], 0.0, writer)?;
    let mut attributes = pool(window, &[0, 0, extra[0], extra[1]]);
    attributes.push(integer("count_include_pad", 0));
    let output = writer.written(node.outputs[0], name);
    writer.operator(name, "AveragePool", vec![padded], output, attributes);
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
    let product = writer.intermediate(name, "product");
    writer.operator(&product, "MatMul", inputs, product.clone(), Vec::new());
    let inputs = vec![product, writer.read(bias, name)?];
    writer.operator(name, "Add", inputs, output, Vec::new());
    Ok(())
}

/// Writes the means over the cells of a grid as a pool if the cells are equal, else as products with matrices of
/// shares.
fn adaptive_pool(
    node: &Node,
    cells: [usize; 2],
    writer: &mut Writer<'_>,
) -> Result<(), WriteError> {
    let name = node.name.as_str();
    let &[.., height, width] = writer.graph.shape(node.inputs[0]) else {
        return Err(WriteError::Operation {
            node: name.to_owned(),
            operation: node.op.word().to_owned(),
        });
    };
    let input = writer.read(node.inputs[0], name)?;
    let output = writer.written(node.outputs[0], name);
    let sizes = [height, width];
    if [0, 1].iter().all(|&axis| sizes[axis] % cells[axis] == 0) {
        let cell = [0, 1].map(|axis| sizes[axis] / cells[axis]);
        let attributes = vec![integers("kernel_shape", &cell), integers("strides", &cell)];
        writer.operator(name, "AveragePool", vec![input], output, attributes);
        return Ok(());
    }
    // [cells, height] x [height, width] x [width, cells]
    let rows = writer.floats(name, "rows", &[cells[0], height], &shares(cells[0], height));
    let columns = shares(cells[1], width);
    let columns: Vec<f32> = (0..width * cells[1])
        .map(|index| columns[index % cells[1] * width + index / cells[1]])
        .collect();
    let columns = writer.floats(name, "columns", &[width, cells[1]], &columns);
    let product = writer.intermediate(name, "row_means");
    writer.operator(
        &product,
        "MatMul",
        vec![rows, input],
        product.clone(),
        Vec::new(),
    );
    writer.operator(name, "MatMul", vec![product, columns], output, Vec::new());
    Ok(())
}

/// Returns the matrix `[cells, length]` whose products with a list of `length` values are the means over `cells`
/// nearly equal cells.
fn shares(cells: usize, length: usize) -> Vec<f32> {
    let mut shares = vec![0.0; cells * length];
    for cell in 0..cells {
        let (start, end) = (cell * length / cells, ((cell + 1) * length).div_ceil(cells));
        shares[cell * length + start..cell * length + end].fill(1.0 / (end - start) as f32);
    }
    shares
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

/// Writes `sum_i (x_i - c_i)^2` for each centre `c`.
fn radial_basis(node: &Node, writer: &mut Writer<'_>) -> Result<(), WriteError> {
    let name = node.name.as_str();
    let input = writer.read(node.inputs[0], name)?;
    let centres = writer.read(node.inputs[1], name)?;
    let output = writer.written(node.outputs[0], name);
    let axis = writer.integers(name, "axis", &[1]);
    let [row, difference, square] =
        ["row", "difference", "square"].map(|word| writer.intermediate(name, word));
    // [batch, 1, in] - [out, in]
    writer.operator(
        &row,
        "Unsqueeze",
        vec![input, axis],
        row.clone(),
        Vec::new(),
    );
    writer.operator(
        &difference,
        "Sub",
        vec![row, centres],
        difference.clone(),
        Vec::new(),
    );
    let factors = vec![difference.clone(), difference];
    writer.operator(&square, "Mul", factors, square.clone(), Vec::new());
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
    let mut attributes = Vec::new();
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
        Op::Mean { axes } if writer.opset() < 18 => {
            attributes.push(integers("axes", axes));
            "ReduceMean"
        }
        Op::Mean { axes } => {
            let axes = signed(axes.iter().copied());
            inputs.push(writer.integers(name, "axes", &axes));
            "ReduceMean"
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
    writer.operator(name, operator, inputs, output, attributes);
    Ok(())
}

/// Returns numbers as ONNX's integers.
fn signed(numbers: impl Iterator<Item = usize>) -> Vec<i64> {
    numbers.map(|number| number as i64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_the_means_of_nearly_equal_cells() {
        let half = 0.5;
        let expected = [half, half, 0.0, 0.0, half, half];
        assert_eq!(shares(2, 3), expected);
        assert_eq!(shares(3, 3), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    }
}
