//! Steps of a plan, one algorithm a file: the portable frame around the micro-kernels.

mod algorithm;
mod binary;
mod copy_channels;
mod cost_model;
mod depthwise;
mod direct;
mod fully_connected;
mod lrn;
mod operation;
mod pool;
mod radial_basis;
mod separable;
mod softmax;
mod transfer;
mod unary;
mod winograd;

pub use algorithm::Algorithm;
pub use binary::Binary;
pub use copy_channels::CopyChannels;
pub use cost_model::{ConvWorkload, CostModel};
pub use depthwise::Depthwise;
pub use direct::Direct;
pub use fully_connected::FullyConnected;
pub use lrn::Lrn;
pub(crate) use operation::Operation;
pub use pool::{AdaptiveMean, MaxPool, MeanPool};
pub use radial_basis::RadialBasis;
pub use separable::Separable;
pub use softmax::Softmax;
pub use transfer::{Export, Import};
pub use unary::Unary;
pub use winograd::Winograd;
