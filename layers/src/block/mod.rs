//! The layers that the architectures are built of.
//!
//! The functions of this module run Burn's layers as the fused operations of
//! [`receptive_kernels::ops`]. The forward pass of every [`Network`](crate::network::Network) uses
//! these functions.

mod activation;
mod add_relu;
mod conv;
mod conv_norm;
mod fully_connected;
mod fused_calls;
pub mod init;
mod local_response_norm;
mod max_pool;
mod mean_pool;
mod radial_basis;
mod sequential;

pub use activation::Activation;
pub use add_relu::add_relu;
pub use conv::{ConvBlock, ConvBlockConfig};
pub use conv_norm::{conv_norm, convolve};
pub use fully_connected::fully_connected;
pub use fused_calls::{FusedCall, record_fused_calls};
pub use local_response_norm::LocalResponseNorm;
pub use max_pool::max_pool;
pub use mean_pool::mean_pool;
pub use radial_basis::RadialBasis;
pub use sequential::{MapLayer, VectorLayer, map_layers, vector_layers};
