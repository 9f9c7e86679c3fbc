//! The layers of a recorded network, one after the other.

use std::collections::HashMap;

use receptive_layers::graph::{Graph, Node, Op, ValueId};
use receptive_layers::summary;
use serde::Serialize;

use crate::error::Error;

/// What is told about a layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerInfo {
    /// Its place; 0 is the input.
    pub index: usize,
    /// The name of its node in the graph, or `input`.
    pub name: String,
    /// What it does.
    pub kind: Kind,
    /// What it is called in the summary: `conv 5x5`, `fully connected`.
    pub label: String,
    /// `[channels, height, width]`; a vector is `[n, 1, 1]`.
    pub shape: [usize; 3],
    /// The place of the layer that it reads; -1 of the input.
    pub source: i32,
    /// Height and width of the window, of convolutions and pools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<[usize; 2]>,
    /// The window's step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stride: Option<[usize; 2]>,
    /// Rows above and columns on the left that are added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub padding: Option<[usize; 2]>,
    /// What a pool keeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<Pool>,
    /// The function, of an activation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activation: Option<String>,
}

/// What a layer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The network is given it.
    Input,
    /// Sums of products over windows.
    Convolution,
    /// One value of each window.
    Pool,
    /// Sums of products over everything.
    Linear,
    /// A function of each value.
    Activation,
}

/// What a pool keeps of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Pool {
    /// The largest value.
    Max,
    /// The mean.
    Average,
}

impl LayerInfo {
    /// How many values it has.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.shape.contains(&0)
    }
}

/// A layer and where it is in the graph.
pub(crate) struct Layer {
    pub info: LayerInfo,
    /// Its node; none of the input.
    pub node: Option<usize>,
    /// What it computes.
    pub value: ValueId,
}

/// The layers of `graph`. Reshapes to vectors are none: the order of the values stays the same.
pub(super) fn chain(graph: &Graph) -> Result<Vec<Layer>, Error> {
    let mut layers = vec![Layer {
        info: LayerInfo {
            index: 0,
            name: "input".to_owned(),
            kind: Kind::Input,
            label: "input".to_owned(),
            shape: shape(graph, graph.input).ok_or_else(|| unexplained("input", "no map"))?,
            source: -1,
            kernel: None,
            stride: None,
            padding: None,
            pool: None,
            activation: None,
        },
        node: None,
        value: graph.input,
    }];
    let mut layer_of = HashMap::from([(graph.input, 0)]);
    for (place, node) in graph.nodes.iter().enumerate() {
        let refused = || unexplained(&node.name, &summary::kind(graph, node));
        let (&source, &value) = (node.inputs.first())
            .and_then(|input| layer_of.get(input))
            .zip(node.outputs.first())
            .ok_or_else(refused)?;
        if node.op == Op::Reshape && graph.shape(value).len() == 2 {
            layer_of.insert(value, source);
            continue;
        }
        let kind = kind(node).ok_or_else(refused)?;
        let windows = graph.windows(node);
        let index = layers.len();
        layers.push(Layer {
            info: LayerInfo {
                index,
                name: node.name.clone(),
                kind,
                label: summary::kind(graph, node),
                shape: shape(graph, value).ok_or_else(refused)?,
                source: source as i32,
                kernel: windows.map(|axes| axes.map(|window| window.kernel)),
                stride: windows.map(|axes| axes.map(|window| window.stride)),
                padding: padding(graph, node)?,
                pool: match node.op {
                    Op::MaxPool2d { .. } => Some(Pool::Max),
                    Op::AvgPool2d { .. } => Some(Pool::Average),
                    _ => None,
                },
                activation: (kind == Kind::Activation).then(|| node.op.word().to_owned()),
            },
            node: Some(place),
            value,
        });
        layer_of.insert(value, index);
    }
    Ok(layers)
}

fn kind(node: &Node) -> Option<Kind> {
    match &node.op {
        Op::Conv2d(_) => Some(Kind::Convolution),
        Op::MaxPool2d { .. } | Op::AvgPool2d { .. } => Some(Kind::Pool),
        Op::Linear => Some(Kind::Linear),
        Op::Relu | Op::Tanh | Op::Sigmoid | Op::Clamp { min: 0.0, max: 6.0 } => {
            Some(Kind::Activation)
        }
        _ => None,
    }
}

fn padding(graph: &Graph, node: &Node) -> Result<Option<[usize; 2]>, Error> {
    let Some(windows) = graph.windows(node) else {
        return Ok(None);
    };
    let size = graph.shape(node.inputs[0]);
    let before = |axis: usize| windows[axis].padding_around(size[2 + axis]);
    Ok(Some([before(0)?.0, before(1)?.0]))
}

/// `[channels, height, width]` of a value of one image.
fn shape(graph: &Graph, value: ValueId) -> Option<[usize; 3]> {
    match *graph.shape(value) {
        [1, channels, height, width] => Some([channels, height, width]),
        [1, channels] => Some([channels, 1, 1]),
        _ => None,
    }
}

fn unexplained(layer: &str, operation: &str) -> Error {
    Error::Unexplained {
        layer: layer.to_owned(),
        operation: operation.to_owned(),
    }
}
