//! What a layer is called in the tables.

use crate::graph::{Conv2d, Graph, Node, Op, Pool2d};

/// The kind of layer that a node is: `conv 3x3/2`, `max pool 2x2/2`, `batch norm`.
pub fn kind(graph: &Graph, node: &Node) -> String {
    match &node.op {
        Op::Conv2d(conv) => convolution(conv, graph.shape(node.inputs[1]), graph, node),
        Op::BatchNorm { .. } => "batch norm".to_owned(),
        Op::Linear => "fully connected".to_owned(),
        Op::MaxPool2d { window, .. } => format!("max pool {}", stepped(window)),
        Op::AvgPool2d { window, .. } => format!("avg pool {}", stepped(window)),
        Op::AdaptiveAvgPool2d { output: [1, 1] } => "global avg pool".to_owned(),
        Op::AdaptiveAvgPool2d { output } => format!("adaptive avg pool {}", times(output)),
        Op::LocalResponseNorm { size, .. } => format!("local response norm {size}"),
        Op::RadialBasis => "radial basis".to_owned(),
        other => other.word().to_owned(),
    }
}

fn convolution(conv: &Conv2d, weight: &[usize], graph: &Graph, node: &Node) -> String {
    let channels = graph.shape(node.inputs[0]).get(1).copied();
    let depthwise = conv.groups > 1 && Some(conv.groups) == channels;
    let name = if depthwise { "depthwise" } else { "conv" };
    let mut kind = format!("{name} {}", times(weight.get(2..).unwrap_or_default()));
    if conv.stride != [1, 1] {
        kind += &format!("/{}", step(conv.stride));
    }
    if conv.groups > 1 && !depthwise {
        kind += &format!(" in {} groups", conv.groups);
    }
    if conv.dilation != [1, 1] {
        kind += &format!(" dilated {}", step(conv.dilation));
    }
    kind
}

fn stepped(window: &Pool2d) -> String {
    format!("{}/{}", times(&window.kernel), step(window.stride))
}

/// One number where both are the same.
fn step([rows, columns]: [usize; 2]) -> String {
    if rows == columns {
        rows.to_string()
    } else {
        times(&[rows, columns])
    }
}

/// `64x3x3x3`.
pub(super) fn times(lengths: &[usize]) -> String {
    let lengths: Vec<String> = lengths.iter().map(usize::to_string).collect();
    lengths.join("x")
}
