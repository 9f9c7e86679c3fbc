//! Errors of operations that the compiler does not translate.

use crate::compile::error::Problem;
use crate::graph::{Graph, Node, Op};

/// The operations that the compiler translates, for the message about any other operation.
const COMPILED: &str = "convolutions, fully connected layers, pools, norms, activation functions, arithmetic, \
     reductions, products, softmax, interpolation and data movement";

/// Returns the problem of `node`, whose operation cannot be translated with these attributes.
pub(super) fn refusal(graph: &Graph, node: &Node) -> Problem {
    let word = node.op.word();
    let [from, to] = [&node.inputs, &node.outputs].map(|ids| {
        let shape = ids.first().map(|&id| graph.shape(id));
        shape.unwrap_or_default().to_vec()
    });
    match &node.op {
        Op::Other { .. } => Problem::unsupported(format!("{word} to {to:?}"), COMPILED),
        _ => Problem::unsupported(
            format!("{word} of {from:?} to {to:?}"),
            "an operation that keeps images apart",
        ),
    }
}
