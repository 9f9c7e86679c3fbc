//! From nodes to boxes: a layer with the norm, the activation and the rearrangements that follow.

use std::collections::{HashMap, HashSet};

use super::{Diagram, LayerBox, Role};
use crate::graph::{Graph, Node, Op, ValueId};
use crate::summary::kind;

/// A box for each layer of `graph`; what does not depend on the input is not drawn.
pub(super) fn diagram(graph: &Graph, model: &str) -> Diagram {
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
    let mut builder = Builder {
        graph,
        readers,
        box_of: HashMap::from([(graph.input, 0)]),
        open: vec![None],
        boxes: vec![input],
        arrows: Vec::new(),
    };
    for node in &graph.nodes {
        builder.add(node);
    }
    let mut outputs = Vec::new();
    for place in (graph.outputs.iter()).filter_map(|value| builder.box_of.get(value)) {
        if !outputs.contains(place) {
            outputs.push(*place);
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

struct Builder<'a> {
    graph: &'a Graph,
    readers: HashMap<ValueId, usize>,
    /// The box that writes a value.
    box_of: HashMap<ValueId, usize>,
    /// For each box the value that a norm or an activation may still join it by.
    open: Vec<Option<ValueId>>,
    boxes: Vec<LayerBox>,
    arrows: Vec<[usize; 2]>,
}

impl Builder<'_> {
    fn add(&mut self, node: &Node) {
        let moving: Vec<ValueId> = (node.inputs.iter().copied())
            .filter(|input| self.box_of.contains_key(input))
            .collect();
        let mut sources: Vec<usize> = moving.iter().map(|input| self.box_of[input]).collect();
        let mut seen = HashSet::new();
        sources.retain(|source| seen.insert(*source));
        let place = match sources[..] {
            [] => return,
            [source] if rearranges(&node.op) => {
                let kept = matches!(node.op, Op::Reshape | Op::Permute { .. });
                if self.open[source] != Some(moving[0]) || !kept {
                    self.open[source] = None;
                } else {
                    self.open[source] = node.outputs.first().copied();
                }
                source
            }
            [source] if self.joins(node, &moving, source) => {
                if said(&node.op) {
                    let kind = kind(self.graph, node);
                    self.boxes[source].kinds.push(kind);
                }
                self.open[source] = node.outputs.first().copied();
                source
            }
            _ => self.begin(node, &sources),
        };
        self.boxes[place].nodes.push(node.name.clone());
        let written = node.outputs.iter().map(|&value| (value, place));
        self.box_of.extend(written);
    }

    /// Whether a node does the last thing of a layer to the value that the layer ended with.
    fn joins(&self, node: &Node, moving: &[ValueId], source: usize) -> bool {
        let alone = moving.len() == 1 && self.readers[&moving[0]] == 1;
        let follows = said(&node.op) || matches!(node.op, Op::Binary(_) | Op::Scalar(..));
        source > 0 && alone && follows && self.open[source] == Some(moving[0])
    }

    fn begin(&mut self, node: &Node, sources: &[usize]) -> usize {
        let place = self.boxes.len();
        self.arrows
            .extend(sources.iter().map(|&from| [from, place]));
        let output = node.outputs.first();
        self.open.push(output.copied());
        self.boxes.push(LayerBox {
            name: node.name.clone(),
            kinds: vec![kind(self.graph, node)],
            role: role(&node.op, sources.len()),
            output: output.map_or_else(Vec::new, |&value| self.graph.shape(value).to_vec()),
            nodes: Vec::new(),
            times: 1,
            members: Vec::new(),
        });
        place
    }
}

/// Whether an operation moves one layer's elements and computes nothing.
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

/// Whether an operation that joins a layer is told: numbers that scale or shift are not.
fn said(op: &Op) -> bool {
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
