//! Convolution and the other layers of a network on slices, without Burn.
//!
//! Modules, from the lowest up: `micro` (instruction sets and micro-kernels), `layout` (blocked
//! feature maps and packed weights), `steps` (one algorithm a file), `gradient` (the algorithms of
//! training). `dispatch`, beside them, is for portable code.
#![allow(unsafe_code)]
// Rows and columns of tiles index several arrays at once.
#![allow(clippy::needless_range_loop)]

mod dispatch;
pub(crate) mod gradient;
pub(crate) mod layout;
pub(crate) mod micro;
mod steps;
#[cfg(test)]
pub(crate) mod tests;

pub use dispatch::{Vectorize, dispatch};
pub(crate) use layout::{AccessSet, CheckError, Context, Memory, Taps};
pub use layout::{Border, Buffer, ConvSpec, Map, Output};
pub use micro::activation::Activation;
pub use micro::binary::BinaryOp;
pub use micro::blocking::Blocking;
pub use micro::function::Function;
pub(crate) use micro::kernels::Kernels;
pub(crate) use micro::peak::PeakTile;
pub use micro::pool::PoolWindow;
pub use micro::simd::{Isa, UnknownIsa};
pub use micro::winograd::WinogradTile;
pub(crate) use steps::Operation;
pub use steps::{
    AdaptiveMean, Algorithm, Apply, Axis, Binary, Constant, Contract, ContractAxis, ConvWorkload,
    CopyChannels, CostModel, Depthwise, Direct, Export, FullyConnected, Import, Lrn, MaxPool,
    MeanPool, Offsets, RadialBasis, Rearrange, Reduce, Reduction, Resample, Separable, Softmax,
    Unary, Winograd,
};
