//! Blocks that more than one architecture is built of.

mod add_relu;
mod conv;
mod conv_norm;
mod fully_connected;
pub mod init;
mod local_response_norm;
mod max_pool;
mod mean_pool;
mod radial_basis;
mod sequential;

pub use add_relu::add_relu;
pub use conv::{Activation, ConvBlock, ConvBlockConfig};
pub use conv_norm::{conv_norm, convolve};
pub use fully_connected::fully_connected;
pub use local_response_norm::LocalResponseNorm;
pub use max_pool::max_pool;
pub use mean_pool::mean_pool;
pub use radial_basis::RadialBasis;
pub use sequential::{MapLayer, VectorLayer, map_layers};
