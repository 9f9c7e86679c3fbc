//! Layers that bypass the fused operations of [`receptive_layers::block`].
//!
//! A forward pass that calls Burn's own `Conv2d::forward` computes the same logits as
//! `block::conv_norm` several times slower on a CPU, which no test of the results detects.
//! [`unfused`] records the graph of a network and a log of the fused calls, and returns the layers
//! that are in the graph but not in the log. It requires these layers in the log:
//!
//! - a convolution, and a batch norm and an activation that directly follow a convolution;
//! - a fully connected layer;
//! - a max pool, and a mean pool without padding and ceil mode;
//! - the ReLU of a sum of two maps of the same shape.

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{Device, Tensor};
use receptive_layers::block::{Activation, FusedCall, record_fused_calls};
use receptive_layers::graph::{Arithmetic, Graph, Node, Op, Outputs};

/// The properties of a layer that both the graph and the log contain.
#[derive(Debug, Clone, PartialEq)]
enum Layer {
    /// The layer whose weight (scale, of a norm) is the parameter of this path.
    Weighted(String),
    /// An activation.
    Activation(Activation),
    /// A max pool of an input of this shape.
    MaxPool(Vec<usize>),
    /// A mean pool of an input of this shape.
    MeanPool(Vec<usize>),
    /// A ReLU of a sum of two maps of this shape.
    AddRelu(Vec<usize>),
}

/// Returns the layers of the log, in order; the norm and the activation of a convolution are layers
/// of their own. `paths` has the path of every parameter.
fn logged(calls: &[FusedCall], paths: &HashMap<ParamId, String>) -> Vec<Layer> {
    let weighted = |id: &ParamId| Layer::Weighted(paths[id].clone());
    let mut layers = Vec::new();
    for call in calls {
        match call {
            FusedCall::Conv {
                weight,
                norm,
                activation,
            } => {
                layers.push(weighted(weight));
                layers.extend(norm.as_ref().map(weighted));
                if *activation != Activation::Identity {
                    layers.push(Layer::Activation(*activation));
                }
            }
            FusedCall::Linear { weight } => layers.push(weighted(weight)),
            FusedCall::MaxPool { input } => layers.push(Layer::MaxPool(input.to_vec())),
            FusedCall::MeanPool { input } => layers.push(Layer::MeanPool(input.to_vec())),
            FusedCall::AddRelu { shape } => layers.push(Layer::AddRelu(shape.to_vec())),
        }
    }
    layers
}

/// Returns the node that computes the first input of `node`.
fn predecessor<'a>(graph: &'a Graph, node: &Node) -> Option<&'a Node> {
    let input = node.inputs.first()?;
    graph.nodes.iter().find(|node| node.outputs.contains(input))
}

/// Returns the layers of the graph for which a fused operation exists, in order, with the nodes'
/// names.
fn fusible(graph: &Graph) -> Vec<(&str, Layer)> {
    let is_conv = |node: &Node| matches!(node.op, Op::Conv2d(_));
    let follows_conv = |node: &Node| match predecessor(graph, node) {
        Some(before) if matches!(before.op, Op::BatchNorm { .. }) => {
            predecessor(graph, before).is_some_and(is_conv)
        }
        Some(before) => is_conv(before),
        None => false,
    };
    let follows_add = |node: &Node| {
        predecessor(graph, node).is_some_and(|sum| {
            let [x, y] = sum.inputs[..] else { return false };
            sum.op == Op::Binary(Arithmetic::Add) && graph.shape(x) == graph.shape(y)
        })
    };
    // A weight that is not a parameter has no name; no fused call matches the layer.
    let weighted = |node: &Node| {
        let parameter = graph.value(node.inputs[1]).parameter();
        Layer::Weighted(parameter.map_or(String::new(), |(name, _)| name.to_owned()))
    };
    let activation = |op: &Op| match op {
        Op::Relu => Some(Activation::Relu),
        Op::Clamp { min: 0.0, max: 6.0 } => Some(Activation::Relu6),
        Op::Tanh => Some(Activation::Tanh),
        _ => None,
    };
    let layer = |node: &Node| {
        let input = || graph.shape(node.inputs[0]).to_vec();
        match &node.op {
            Op::Conv2d(_) | Op::Linear => Some(weighted(node)),
            Op::BatchNorm { .. } if follows_conv(node) => Some(weighted(node)),
            Op::MaxPool2d { .. } => Some(Layer::MaxPool(input())),
            Op::AvgPool2d { window, .. } if window.padding == [[0; 2]; 2] && !window.ceil => {
                Some(Layer::MeanPool(input()))
            }
            Op::Relu if follows_add(node) => Some(Layer::AddRelu(input())),
            op if follows_conv(node) => activation(op).map(Layer::Activation),
            _ => None,
        }
    };
    let nodes = graph.nodes.iter();
    nodes
        .filter_map(|node| Some((node.name.as_str(), layer(node)?)))
        .collect()
}

/// Returns the names of the layers in `graph` that are missing in `logged`.
///
/// Both lists are in the order of execution, so that the log is the list of the graph's layers
/// without the missing ones.
///
/// # Panics
///
/// When the log has a layer that the graph lacks: the log and the graph disagree about a layer.
fn bypassing(graph: &Graph, logged: &[Layer]) -> Vec<String> {
    let mut rest = logged;
    let mut missing = Vec::new();
    for (name, layer) in fusible(graph) {
        match rest {
            [next, after @ ..] if *next == layer => rest = after,
            _ => missing.push(name.to_owned()),
        }
    }
    assert!(
        rest.is_empty() || !missing.is_empty(),
        "the graph lacks the fused layers {rest:?}"
    );
    missing
}

/// A visitor that collects the path of every parameter, without enum variants.
#[derive(Default)]
struct Paths {
    path: Vec<String>,
    found: HashMap<ParamId, String>,
}

impl ModuleVisitor for Paths {
    fn enter_module(&mut self, name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.path.push(name.to_owned());
        }
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.path.pop();
        }
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path = self.path.join(".");
        // The graph has PyTorch's name of a norm's scale.
        let path = match path.strip_suffix(".gamma") {
            Some(norm) => format!("{norm}.weight"),
            None => path,
        };
        self.found.insert(param.id, path);
    }
}

/// Returns the layers that `forward` of the network computes without the fused operations, for
/// images of shape `input`.
///
/// # Panics
///
/// When the network cannot be recorded, or the log has a layer that the graph lacks.
pub fn unfused<M: Module, O: Outputs>(
    init: impl FnOnce(&Device) -> M,
    input: [usize; 4],
    mut forward: impl FnMut(&M, Tensor<4>) -> O,
) -> Vec<String> {
    // Recording runs `forward` for two batch sizes.
    let mut first: Option<(Paths, Vec<FusedCall>)> = None;
    let graph = Graph::trace(init, input, |network: &M, images| {
        let (outputs, calls) = record_fused_calls(|| forward(network, images));
        first.get_or_insert_with(|| {
            let mut paths = Paths::default();
            network.visit(&mut paths);
            (paths, calls)
        });
        outputs
    });
    let graph = graph.expect("a network that can be recorded");
    let (paths, calls) = first.expect("a run of forward");
    bypassing(&graph, &logged(&calls, &paths.found))
}
