//! Axis of the channels in every tensor of a graph.
//!
//! Burn's convolutions compute `[batch, channels, height, width]`, and fully connected layers and
//! layer norms act on the last axis, so that networks permute between both layouts.

use crate::graph::{Graph, Node, Op};

/// Returns the axis of the channels in every value of `graph`, in the order of [`Graph::values`].
pub(crate) fn channel_axes(graph: &Graph) -> Vec<usize> {
    let mut axes: Vec<usize> = (graph.values.iter())
        .map(|value| usual_axis(value.shape.len()))
        .collect();
    for node in &graph.nodes {
        let axis = output_axis(graph, node, &axes);
        for output in &node.outputs {
            axes[output.index()] = axis;
        }
    }
    axes
}

/// Returns the axis of the channels in a tensor of unknown origin: the second of a feature map, the
/// last of a vector or a sequence of vectors.
pub(super) fn usual_axis(rank: usize) -> usize {
    match rank {
        4.. => 1,
        _ => rank.saturating_sub(1),
    }
}

/// Returns the axis of the channels in the first output of `node`, from the `axes` of its operands.
fn output_axis(graph: &Graph, node: &Node, axes: &[usize]) -> usize {
    let output = graph.shape(node.outputs[0]);
    let rank = output.len();
    let last = rank.saturating_sub(1);
    // Element-wise operations follow the operand that is not broadcast.
    let operand = (node.inputs.iter())
        .find(|&&id| graph.shape(id) == output)
        .or(node.inputs.first());
    let Some(&operand) = operand else {
        return usual_axis(rank);
    };
    let (input, axis) = (graph.shape(operand), axes[operand.index()]);
    match &node.op {
        Op::Conv2d(_)
        | Op::ConvTranspose2d(_)
        | Op::BatchNorm { .. }
        | Op::MaxPool2d { .. }
        | Op::AvgPool2d { .. }
        | Op::AdaptiveAvgPool2d { .. }
        | Op::LocalResponseNorm { .. } => 1,
        Op::Linear | Op::Matmul | Op::RadialBasis => last,
        Op::Permute { axes } => {
            let moved = axes.iter().position(|&from| from == axis);
            moved.unwrap_or_else(|| usual_axis(rank))
        }
        Op::Reshape => {
            // The reshape keeps the channels and all axes before or after them.
            let moved = (rank + axis).checked_sub(input.len());
            if output.get(..=axis) == input.get(..=axis) {
                axis
            } else if let Some(moved) = moved.filter(|&to| output.get(to..) == input.get(axis..)) {
                moved
            } else {
                usual_axis(rank)
            }
        }
        Op::Other { name, .. } if is_channels_first(name) => 1.min(last),
        Op::Other { name, .. } if ["layernorm", "attention"].contains(&name.as_str()) => last,
        _ if input.len() == rank => axis,
        _ => usual_axis(rank),
    }
}

/// Whether Burn's operation `name` computes `[batch, channels, ..]`.
fn is_channels_first(name: &str) -> bool {
    ["conv", "pool", "interpolate"]
        .iter()
        .any(|word| name.contains(word))
}
