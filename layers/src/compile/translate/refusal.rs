//! Messages for operations that no layer computes.

use crate::compile::error::Problem;
use crate::graph::{Graph, Node, Op};

/// The operations that the compiler translates, for the message about any other operation.
const COMPILED: &str = "convolutions, fully connected layers, pools, batch norms, local response norms of \
     receptive_layers, relu, clamp, tanh, sigmoid, softmax of the channels, arithmetic, slices, selections \
     and concatenations of channels, zero padding and reshapes";

/// Returns the problem of `node`, whose operation cannot be translated with these attributes.
pub(super) fn refusal(graph: &Graph, node: &Node) -> Problem {
    let word = node.op.word();
    let [from, to] = [&node.inputs, &node.outputs].map(|ids| {
        let shape = ids.first().map(|&id| graph.shape(id));
        shape.unwrap_or_default().to_vec()
    });
    let (operation, expected) = match &node.op {
        Op::Permute { axes } => (
            format!("{word} {axes:?} of {from:?}"),
            "a permutation that keeps the order of the elements",
        ),
        Op::Softmax { axis } => (
            format!("{word} over axis {axis} of {from:?}"),
            "a softmax over axis 1, the channels",
        ),
        Op::Concat { axis } => (
            format!("{word} along axis {axis} to {to:?}"),
            "a concatenation along axis 1, the channels",
        ),
        Op::Select { axis } => (
            format!("{word} along axis {axis} of {from:?}"),
            "a selection along axis 1, the channels",
        ),
        Op::Slice { .. } => (
            format!("{word} of {from:?} to {to:?}"),
            "a slice that keeps every image",
        ),
        Op::Pad { padding, value } => (
            format!("{word} by {padding:?} with {value} of {from:?}"),
            "padding of channels, rows and columns with 0",
        ),
        Op::Mean { axes } => (
            format!("{word} over axes {axes:?} of {from:?}"),
            "a mean over axes 2 and 3, the height and the width",
        ),
        Op::Matmul => (
            format!("{word} to {to:?}"),
            "a product of vectors and a constant matrix, as in a fully connected layer",
        ),
        Op::Expand => (
            format!("{word} of {from:?} to {to:?}"),
            "a broadcast that element-wise arithmetic does",
        ),
        _ => (format!("{word} to {to:?}"), COMPILED),
    };
    Problem::unsupported(operation, expected)
}
