//! The operators of pools.

use receptive_layers::graph::{Node, Pool2d};

use super::attributes::{integer, integers};
use super::error::WriteError;
use super::tensors::signed;
use super::writer::Writer;
use crate::cells::shares;
use crate::proto::AttributeProto;

/// Returns the padding `[top, left, bottom, right]` of a pool. A last window that extends past the padding gets more,
/// since runtimes differ in their rounding.
fn pads(node: &Node, window: &Pool2d, dilation: [usize; 2], writer: &Writer<'_>) -> [usize; 4] {
    let input = writer.graph.shape(node.inputs[0]);
    let output = writer.graph.shape(node.outputs[0]);
    let end = |axis: usize| {
        let last = last_window_end(window, dilation[axis], output[2 + axis], axis);
        let [before, after] = window.padding[axis];
        let before = before + input[2 + axis];
        match window.ceil {
            true => last.saturating_sub(before).max(after),
            false => after,
        }
    };
    [window.padding[0][0], window.padding[1][0], end(0), end(1)]
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
    let inputs = vec![
        writer.read(node.inputs[0], name)?,
        writer.integers(name, "pads", &pads),
        writer.floats(name, "value", &[], &[value]),
    ];
    Ok(writer.step(name, "padded", "Pad", inputs, Vec::new()))
}

/// Writes the maximum of each window. Padding as wide as the kernel, which `MaxPool` does not take, is an operator.
///
/// # Errors
///
/// [`WriteError::NoElements`] if the input is a constant without elements.
pub fn max(
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
    let [[top, bottom], [left, right]] = window.padding;
    let extra = [0, 1].map(|axis| {
        let end = last_window_end(window, 1, output[2 + axis], axis);
        end.saturating_sub(input[2 + axis] + window.padding[axis].iter().sum::<usize>())
    });
    let padded = padded(node, [top, left, bottom, right], 0.0, writer)?;
    let mut attributes = pool(window, &[0, 0, extra[0], extra[1]]);
    attributes.push(integer("count_include_pad", 0));
    let output = writer.written(node.outputs[0], name);
    writer.operator(name, "AveragePool", vec![padded], output, attributes);
    Ok(())
}

/// Writes the mean of each window.
///
/// # Errors
///
/// As [`max`].
pub fn mean(
    node: &Node,
    window: &Pool2d,
    count_include_pad: bool,
    writer: &mut Writer<'_>,
) -> Result<(), WriteError> {
    if window.ceil && count_include_pad {
        return padded_mean(node, window, writer);
    }
    let name = node.name.as_str();
    let mut attributes = pool(window, &pads(node, window, [1, 1], writer));
    attributes.push(integer("count_include_pad", i64::from(count_include_pad)));
    let input = writer.read(node.inputs[0], name)?;
    let output = writer.written(node.outputs[0], name);
    writer.operator(name, "AveragePool", vec![input], output, attributes);
    Ok(())
}

/// Writes the means over the cells of a grid as a pool if the cells are equal, else as products with matrices of
/// shares.
///
/// # Errors
///
/// [`WriteError`] if the input is not feature maps, or a constant without elements.
pub fn adaptive_mean(
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
    let product = writer.step(name, "row_means", "MatMul", vec![rows, input], Vec::new());
    writer.operator(name, "MatMul", vec![product, columns], output, Vec::new());
    Ok(())
}
