//! Names of the kinds of layers.

use crate::graph::{Conv2d, Graph, Node, Op, Pool2d};

/// Returns the kind of a node's layer: `conv 3x3/2`, `max pool 2x2/2`, `batch norm`.
pub fn kind(graph: &Graph, node: &Node) -> String {
    match &node.op {
        Op::Conv2d(conv) => convolution(conv, graph.shape(node.inputs[1]), graph, node),
        Op::ConvTranspose2d(conv) => {
            let weight = graph.shape(node.inputs[1]);
            let kernel = joined(weight.get(2..).unwrap_or_default());
            format!("transposed conv {kernel}/{}", pair(conv.stride))
        }
        Op::BatchNorm { .. } => "batch norm".to_owned(),
        Op::Linear => "fully connected".to_owned(),
        Op::MaxPool2d { window, .. } => format!("max pool {}", window_and_stride(window)),
        Op::AvgPool2d { window, .. } => format!("avg pool {}", window_and_stride(window)),
        Op::AdaptiveAvgPool2d { output: [1, 1] } => "global avg pool".to_owned(),
        Op::AdaptiveAvgPool2d { output } => format!("adaptive avg pool {}", joined(output)),
        Op::LocalResponseNorm { size, .. } => format!("local response norm {size}"),
        Op::RadialBasis => "radial basis".to_owned(),
        other => other.word().to_owned(),
    }
}

fn convolution(conv: &Conv2d, weight: &[usize], graph: &Graph, node: &Node) -> String {
    let channels = graph.shape(node.inputs[0]).get(1).copied();
    let depthwise = conv.groups > 1 && Some(conv.groups) == channels;
    let name = if depthwise { "depthwise" } else { "conv" };
    let mut kind = format!("{name} {}", joined(weight.get(2..).unwrap_or_default()));
    if conv.stride != [1, 1] {
        kind += &format!("/{}", pair(conv.stride));
    }
    if conv.groups > 1 && !depthwise {
        kind += &format!(" in {} groups", conv.groups);
    }
    if conv.dilation != [1, 1] {
        kind += &format!(" dilated {}", pair(conv.dilation));
    }
    kind
}

fn window_and_stride(window: &Pool2d) -> String {
    format!("{}/{}", joined(&window.kernel), pair(window.stride))
}

/// Returns `2` for equal rows and columns, `2x1` otherwise.
fn pair([rows, columns]: [usize; 2]) -> String {
    if rows == columns {
        rows.to_string()
    } else {
        joined(&[rows, columns])
    }
}

/// Returns lengths joined by `x`: `64x3x3x3`.
pub(super) fn joined(lengths: &[usize]) -> String {
    let lengths: Vec<String> = lengths.iter().map(usize::to_string).collect();
    lengths.join("x")
}

/// Returns the number of layers of each kind, without window sizes, in the order of the first layer
/// of each kind: `6 conv, 6 batch norm, 2 add`.
pub(crate) fn count_kinds<'a>(layers: impl IntoIterator<Item = &'a str>) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for layer in layers {
        let words = layer.split(' ');
        let kind = words
            .take_while(|word| !word.starts_with(|c: char| c.is_ascii_digit()))
            .collect::<Vec<_>>()
            .join(" ");
        match counts.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => counts.push((kind, 1)),
        }
    }
    let counts: Vec<String> = counts
        .into_iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    counts.join(", ")
}
