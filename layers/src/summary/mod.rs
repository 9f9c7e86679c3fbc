//! What every layer of a network costs, counted on its [`Graph`].
//!
//! The counting is that of the usual tables. *Parameters* are the trainable ones that the graph
//! reaches. A *multiply-add* is one product in a convolution, a fully connected or a radial basis
//! layer; biases, pools, norms and activations have none. *Activation values* are the input and
//! the outputs of convolutions, pools, fully connected layers, local response norms and radial
//! basis layers: an activation, a batch norm, a residual sum and a concatenation overwrite or
//! stand in the memory of what they read, and a reshape moves nothing. VGG16 has 15.2 million of
//! them, 61 MB in single precision.
//!
//! ```
//! use burn::module::Module;
//! use burn::nn::conv::{Conv2d, Conv2dConfig};
//! use burn::tensor::{Device, Tensor, activation};
//! use receptive_layers::graph::Graph;
//! use receptive_layers::summary::Summary;
//!
//! #[derive(Module, Debug)]
//! struct Net {
//!     conv: Conv2d,
//! }
//!
//! let init = |device: &Device| Net {
//!     conv: Conv2dConfig::new([3, 64], [3, 3]).init(device),
//! };
//! let forward = |net: &Net, x: Tensor<4>| activation::relu(net.conv.forward(x));
//! let graph = Graph::trace(init, [1, 3, 34, 34], forward)?;
//! let summary = Summary::from_graph(&graph, "net")?;
//!
//! let conv = &summary.layers[0];
//! assert_eq!(conv.name, "conv");
//! assert_eq!(conv.formula, "64x3x3x3 + 64");
//! assert_eq!(conv.parameters, 1_792);
//! assert_eq!(conv.macs, 64 * 3 * 3 * 3 * 32 * 32);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod group;
mod kind;
mod layers;
mod receptive_field;
mod table;

use receptive_kernels::cost::CostError;
use receptive_kernels::geometry::GeometryError;
use serde::Serialize;

pub use kind::kind;

use crate::graph::Graph;

#[cfg(feature = "draw")]
pub(crate) use group::kinds;

/// The costs of a network, layer by layer, for one forward pass of an input of a given shape.
///
/// Displayed, it is a table. Serialised, its fields are the keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// What the network is called.
    pub model: String,
    /// The shape of its input, the batch first.
    pub input: Vec<usize>,
    /// Trainable parameters.
    pub parameters: u64,
    /// Running statistics, and constants such as the centres of radial basis functions.
    pub fixed: u64,
    /// Bytes of the trainable parameters.
    pub parameter_bytes: u64,
    /// Multiply-adds.
    pub macs: u64,
    /// Values of the input, and of the layers that keep their outputs.
    pub activation_values: u64,
    /// Their bytes.
    pub activation_bytes: u64,
    /// Links into every unit, biases included, for one image (Gradient-Based Learning Applied to
    /// Document Recognition, section II.B).
    pub connections: u64,
    /// The name of the layer with the most activation values, the first of them.
    pub widest: Option<String>,
    /// Height and width, in pixels of the input, that a unit of the last map sees; none where
    /// there is no convolution or pool.
    pub receptive_field: Option<[usize; 2]>,
    /// The layers, in the order in which they run; the input is not one of them.
    pub layers: Vec<Layer>,
}

/// A row of a [`Summary`]: a layer, or several together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layer {
    /// The name of its node in the graph, such as `layer1.0.conv1`.
    pub name: String,
    /// What it is: `conv 3x3/2`, `max pool 2x2/2`, `batch norm`, `fully connected`.
    pub kind: String,
    /// The activation that follows it in place, such as `relu`.
    pub activation: Option<String>,
    /// The shape of its output, the batch first.
    pub output: Vec<usize>,
    /// Trainable parameters. Those that several layers share count in the first.
    pub parameters: u64,
    /// Running statistics and constants.
    pub fixed: u64,
    /// How the trainable parameters come about, such as `64x3x3x3 + 64`: output by input channels
    /// by height by width, and the bias.
    pub formula: String,
    /// Multiply-adds.
    pub macs: u64,
    /// Links into every unit, biases included, for one image.
    pub connections: u64,
    /// Values of the output; 0 where it needs no memory of its own.
    pub activation_values: u64,
    /// Their bytes.
    pub memory_bytes: u64,
}

/// A network's costs cannot be counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("layer {layer}: {reason}")]
pub struct SummaryError {
    /// The layer's name.
    pub layer: String,
    /// What is wrong.
    #[source]
    pub reason: CountError,
}

/// A layer's costs cannot be counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CountError {
    /// A cost does not fit.
    #[error(transparent)]
    Cost(#[from] CostError),
    /// A window does not fit.
    #[error(transparent)]
    Geometry(#[from] GeometryError),
}

impl Summary {
    /// The costs of `graph`, which is called `model`.
    ///
    /// # Errors
    ///
    /// [`SummaryError`] where a count does not fit 64 bits.
    pub fn from_graph(graph: &Graph, model: &str) -> Result<Self, SummaryError> {
        let layers = layers::layers(graph)?;
        let receptive_field = receptive_field::of(graph)?;
        let input = graph.value(graph.input);
        let sum = |count: fn(&Layer) -> u64| -> Result<u64, SummaryError> {
            layers.iter().try_fold(0u64, |total, layer| {
                let quantity = "total";
                let total = total.checked_add(count(layer));
                total.ok_or_else(|| SummaryError {
                    layer: layer.name.clone(),
                    reason: CostError::Overflow { quantity }.into(),
                })
            })
        };
        let input_values = input.len() as u64;
        let widest = layers
            .iter()
            .rev()
            .filter(|layer| layer.activation_values > 0)
            .max_by_key(|layer| layer.activation_values)
            .map(|layer| layer.name.clone());
        Ok(Self {
            model: model.to_owned(),
            input: input.shape.clone(),
            parameters: sum(|layer| layer.parameters)?,
            fixed: sum(|layer| layer.fixed)?,
            parameter_bytes: parameter_bytes(graph),
            macs: sum(|layer| layer.macs)?,
            activation_values: sum(|layer| layer.activation_values)? + input_values,
            activation_bytes: sum(|layer| layer.memory_bytes)?
                + input_values * input.dtype.size() as u64,
            connections: sum(|layer| layer.connections)?,
            widest,
            receptive_field,
            layers,
        })
    }
}

fn parameter_bytes(graph: &Graph) -> u64 {
    graph
        .values
        .iter()
        .filter(|value| matches!(value.parameter(), Some((_, crate::graph::Role::Trainable))))
        .map(|value| (value.len() * value.dtype.size()) as u64)
        .sum()
}
