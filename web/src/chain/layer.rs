//! The layers of a recorded network, in order.

use std::collections::HashMap;

use receptive_layers::graph::{Graph, Node, Op, ValueId};
use receptive_layers::summary;
use serde::Serialize;

use crate::error::Error;

/// Description of a layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerInfo {
    /// Index of the layer; 0 is the input.
    pub index: usize,
    /// Name of the layer's node in the graph, or `input`.
    pub name: String,
    /// Kind of the layer.
    pub kind: LayerKind,
    /// Operation as the network summary names it: `conv 5x5`, `fully connected`.
    pub label: String,
    /// `[channels, height, width]` of the output; a vector is `[n, 1, 1]`.
    pub shape: [usize; 3],
    /// Index of the layer whose output this layer reads; -1 for the input.
    pub source: i32,
    /// `[height, width]` of the kernel of a convolution or a pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<[usize; 2]>,
    /// Stride of a convolution or a pool, along height and width.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stride: Option<[usize; 2]>,
    /// Padding of a convolution or a pool: rows above and columns on the left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub padding: Option<[usize; 2]>,
    /// Kind of a pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolKind>,
    /// Name of an activation's function: `relu`, `relu6`, `sigmoid`, `tanh`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activation: Option<String>,
}

/// Kind of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LayerKind {
    /// The network's input.
    Input,
    /// Convolution.
    Convolution,
    /// Max or average pooling.
    Pool,
    /// Fully connected layer.
    Linear,
    /// Elementwise activation function.
    Activation,
}

/// Kind of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PoolKind {
    /// The largest value of the window.
    Max,
    /// The mean of the window.
    Average,
}

impl LayerInfo {
    /// Number of values in the layer's output.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the layer's output has no values.
    pub fn is_empty(&self) -> bool {
        self.shape.contains(&0)
    }
}

/// A layer and its node in the graph.
pub(crate) struct ChainLayer {
    pub info: LayerInfo,
    /// Index of the layer's node in the graph; `None` for the input.
    pub node: Option<usize>,
    /// The layer's output in the graph.
    pub value: ValueId,
}

/// Returns the layers of `graph` in order.
///
/// A reshape to a vector is not a layer, because it keeps the order of the values.
pub(crate) fn layers(graph: &Graph) -> Result<Vec<ChainLayer>, Error> {
    let mut layers = vec![ChainLayer {
        info: LayerInfo {
            index: 0,
            name: "input".to_owned(),
            kind: LayerKind::Input,
            label: "input".to_owned(),
            shape: shape(graph, graph.input)
                .ok_or_else(|| unsupported("input", "not a feature map"))?,
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
    for (node_index, node) in graph.nodes.iter().enumerate() {
        let unsupported = || unsupported(&node.name, &summary::kind(graph, node));
        let (&source, &value) = (node.inputs.first())
            .and_then(|input| layer_of.get(input))
            .zip(node.outputs.first())
            .ok_or_else(unsupported)?;
        if node.op == Op::Reshape && graph.shape(value).len() == 2 {
            layer_of.insert(value, source);
            continue;
        }
        let kind = kind(node).ok_or_else(unsupported)?;
        let windows = graph.windows(node);
        let index = layers.len();
        layers.push(ChainLayer {
            info: LayerInfo {
                index,
                name: node.name.clone(),
                kind,
                label: summary::kind(graph, node),
                shape: shape(graph, value).ok_or_else(unsupported)?,
                source: source as i32,
                kernel: windows.map(|axes| axes.map(|window| window.kernel)),
                stride: windows.map(|axes| axes.map(|window| window.stride)),
                padding: padding(graph, node)?,
                pool: match node.op {
                    Op::MaxPool2d { .. } => Some(PoolKind::Max),
                    Op::AvgPool2d { .. } => Some(PoolKind::Average),
                    _ => None,
                },
                activation: (kind == LayerKind::Activation).then(|| node.op.word().to_owned()),
            },
            node: Some(node_index),
            value,
        });
        layer_of.insert(value, index);
    }
    Ok(layers)
}

fn kind(node: &Node) -> Option<LayerKind> {
    match &node.op {
        Op::Conv2d(_) => Some(LayerKind::Convolution),
        Op::MaxPool2d { .. } | Op::AvgPool2d { .. } => Some(LayerKind::Pool),
        Op::Linear => Some(LayerKind::Linear),
        Op::Relu | Op::Tanh | Op::Sigmoid | Op::Clamp { min: 0.0, max: 6.0 } => {
            Some(LayerKind::Activation)
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

/// Returns `[channels, height, width]` of a graph value, if the value has a batch size of 1.
fn shape(graph: &Graph, value: ValueId) -> Option<[usize; 3]> {
    match *graph.shape(value) {
        [1, channels, height, width] => Some([channels, height, width]),
        [1, channels] => Some([channels, 1, 1]),
        _ => None,
    }
}

fn unsupported(layer: &str, operation: &str) -> Error {
    Error::UnsupportedLayer {
        layer: layer.to_owned(),
        operation: operation.to_owned(),
    }
}
