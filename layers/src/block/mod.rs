//! Blocks that more than one architecture is built of.

mod conv;
pub mod init;
mod local_response_norm;

pub use conv::{Activation, ConvBlock, ConvBlockConfig};
pub use local_response_norm::LocalResponseNorm;
