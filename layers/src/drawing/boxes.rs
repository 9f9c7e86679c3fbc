//! One box per layer of a graph, with the norm, activation and reshapes that follow the layer.

use std::collections::{HashMap, HashSet};

use super::diagram::{Diagram, LayerBox, Role};
use crate::graph::{Graph, Node, Op, ValueId};
use crate::summary::{channel_axes, kind};

/// Returns a diagram with a box for each layer of `graph`, without frames. Nodes that do not depend
/// on the input are omitted.
pub(super) fn layer_boxes(graph: &Graph, model: &str) -> Diagram {
    let mut readers: HashMap<ValueId, usize> = HashMap::new();
    let inputs = graph.nodes.iter().flat_map(|node| &node.inputs);
    for &value in inputs.chain(&graph.outputs) {
        *readers.entry(value).or_default() += 1;
    }
    let input = LayerBox {
        name: "input".to_owned(),
        kinds: Vec::new(),
        role: Role::Input,
        output: graph.shape(graph.input).to_vec(),
        nodes: Vec::new(),
        times: 1,
        members: Vec::new(),
    };
    let mut builder = DiagramBuilder {
        graph,
        channel_axes: channel_axes(graph),
        readers,
        box_of: HashMap::from([(graph.input, 0)]),
        extensible: vec![None],
        boxes: vec![input],
        arrows: Vec::new(),
    };
    for node in &graph.nodes {
        builder.add(node);
    }
    let mut outputs = Vec::new();
    for index in (graph.outputs.iter()).filter_map(|value| builder.box_of.get(value)) {
        if !outputs.contains(index) {
            outputs.push(*index);
        }
    }
    Diagram {
        model: model.to_owned(),
        boxes: builder.boxes,
        arrows: builder.arrows,
        frames: Vec::new(),
        outputs,
    }
}

/// The boxes and arrows of a diagram under construction.
struct DiagramBuilder<'a> {
    graph: &'a Graph,
    /// Axis of the channels in each value.
    channel_axes: Vec<usize>,
    /// Number of readers of each value, the network's outputs included.
    readers: HashMap<ValueId, usize>,
    /// Index of the box that computes each value.
    box_of: HashMap<ValueId, usize>,
    /// For each box, the value that a norm or an activation must read to be part of the box.
    extensible: Vec<Option<ValueId>>,
    boxes: Vec<LayerBox>,
    arrows: Vec<[usize; 2]>,
}

impl DiagramBuilder<'_> {
    /// Adds a node to the box of its input, or in a new box.
    fn add(&mut self, node: &Node) {
        let dependent: Vec<ValueId> = (node.inputs.iter().copied())
            .filter(|input| self.box_of.contains_key(input))
            .collect();
        let mut sources: Vec<usize> = dependent.iter().map(|input| self.box_of[input]).collect();
        let mut seen = HashSet::new();
        sources.retain(|source| seen.insert(*source));
        let index = match sources[..] {
            [] => return,
            [source] if rearranges(&node.op) => {
                let same_elements = matches!(node.op, Op::Reshape | Op::Permute { .. });
                if self.extensible[source] != Some(dependent[0]) || !same_elements {
                    self.extensible[source] = None;
                } else {
                    self.extensible[source] = node.outputs.first().copied();
                }
                source
            }
            [source] if self.extends(node, &dependent, source) => {
                if is_listed(&node.op) {
                    let kind = kind(self.graph, node);
                    self.boxes[source].kinds.push(kind);
                }
                self.extensible[source] = node.outputs.first().copied();
                source
            }
            _ => self.add_box(node, &sources),
        };
        self.boxes[index].nodes.push(node.name.clone());
        let outputs = node.outputs.iter().map(|&value| (value, index));
        self.box_of.extend(outputs);
    }

    /// Returns the shape of a value. The channels of feature maps come after the batch, also where
    /// the network has them last.
    fn shape(&self, value: ValueId) -> Vec<usize> {
        let mut shape = self.graph.shape(value).to_vec();
        let axis = self.channel_axes[value.index()];
        if shape.len() == 4 && axis > 1 {
            shape[1..=axis].rotate_right(1);
        }
        shape
    }

    /// Returns whether a node is a norm, an activation or a scaling of the last value of box
    /// `source`, and no other node reads that value.
    fn extends(&self, node: &Node, dependent: &[ValueId], source: usize) -> bool {
        let only_reader = dependent.len() == 1 && self.readers[&dependent[0]] == 1;
        let elementwise = is_listed(&node.op) || matches!(node.op, Op::Binary(_) | Op::Scalar(..));
        source > 0 && only_reader && elementwise && self.extensible[source] == Some(dependent[0])
    }

    /// Adds a box for `node`, which reads the boxes `sources`, and returns its index.
    fn add_box(&mut self, node: &Node, sources: &[usize]) -> usize {
        let index = self.boxes.len();
        self.arrows
            .extend(sources.iter().map(|&from| [from, index]));
        let output = node.outputs.first();
        self.extensible.push(output.copied());
        self.boxes.push(LayerBox {
            name: node.name.clone(),
            kinds: vec![kind(self.graph, node)],
            role: role(&node.op, sources.len()),
            output: output.map_or_else(Vec::new, |&value| self.shape(value)),
            nodes: Vec::new(),
            times: 1,
            members: Vec::new(),
        });
        index
    }
}

/// Returns whether an operation moves the elements of a layer without arithmetic.
fn rearranges(op: &Op) -> bool {
    matches!(
        op,
        Op::Reshape
            | Op::Expand
            | Op::Permute { .. }
            | Op::Slice { .. }
            | Op::Select { .. }
            | Op::Pad { .. }
            | Op::Concat { .. }
    )
}

/// Returns whether an operation that is part of a layer's box is listed among its kinds. Scales and
/// shifts are not listed.
fn is_listed(op: &Op) -> bool {
    op.is_activation() || matches!(op, Op::BatchNorm { .. } | Op::Softmax { .. })
}

fn role(op: &Op, sources: usize) -> Role {
    match op {
        Op::Conv2d(_) => Role::Convolution,
        Op::MaxPool2d { .. }
        | Op::AvgPool2d { .. }
        | Op::AdaptiveAvgPool2d { .. }
        | Op::Mean { .. } => Role::Pool,
        Op::Linear | Op::RadialBasis | Op::Matmul => Role::Linear,
        Op::BatchNorm { .. } | Op::LocalResponseNorm { .. } => Role::Norm,
        _ if sources > 1 => Role::Merge,
        _ => Role::Other,
    }
}
