//! Costs of every layer of a network, computed from its [`Graph`](crate::graph::Graph).
//!
//! The counts follow the usual tables:
//!
//! - *Parameters* are the trainable parameters that the graph reads.
//! - A *multiply-add* is one product in a convolution of any rank, transposed or not, a fully
//!   connected layer, a matrix product, an attention or a radial basis layer. Biases, pools, norms,
//!   activations and element-wise arithmetic have none. A transposed convolution multiplies each
//!   input element by all weights of its channel. Operations whose products are unknown, such as a
//!   bilinear interpolation, are listed ([`Summary::uncounted`]).
//! - *Activation values* are the input and the outputs of convolutions, pools, fully connected
//!   layers, local response norms and radial basis layers. Activations, batch norms, residual sums
//!   and concatenations are counted as in-place operations, and reshapes as free. VGG16 has 15.2
//!   million activation values, 61 MB in single precision.
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

mod channel_axis;
mod count;
mod error;
mod group;
mod kind;
mod layers;
mod receptive_field;
mod report;
mod table;

#[cfg(feature = "draw")]
pub(crate) use channel_axis::channel_axes;
pub use error::{CountError, SummaryError};
#[cfg(feature = "draw")]
pub(crate) use kind::count_kinds;
pub use kind::kind;
pub use report::{Layer, Summary};
