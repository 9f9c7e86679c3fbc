//! Convolution and its companions on slices, without Burn.
//!
//! Maps lie in blocks of as many channels as a vector has lanes ([`Map`]). Each file holds one
//! algorithm: a struct that knows where everything lies, packs its weights once and runs a
//! thread's part. Only the innermost functions are compiled per instruction set ([`Isa`]).
//!
//! The structs are steps of a [`plan::Program`](crate::plan::Program), which checks their maps
//! before it runs them.
#![allow(unsafe_code)]
// Rows and columns of tiles index several arrays at once.
#![allow(clippy::needless_range_loop)]

mod accesses;
mod activation;
mod algorithm;
mod binary;
mod blocking;
mod buffer;
pub(crate) mod check;
pub(crate) mod context;
mod conv;
mod copy;
mod cost_model;
mod depthwise;
mod direct;
mod fully_connected;
pub(crate) mod gradient;
mod grid;
mod kernels;
mod lrn;
mod map;
mod offsets;
mod output;
mod pool;
mod prefetch;
mod radial_basis;
mod reorder;
mod separable;
mod shares;
mod simd;
mod softmax;
mod strips;
mod taps;
#[cfg(test)]
pub(crate) mod tests;
mod tile;
mod transfer;
mod unary;
mod winograd;

pub(crate) use accesses::AccessSet;
pub use activation::Activation;
pub use algorithm::Algorithm;
pub use binary::{Binary, BinaryOp};
pub use blocking::Blocking;
pub use buffer::Buffer;
pub(crate) use check::{CheckError, Memory};
pub(crate) use context::{Context, share};
pub use conv::ConvSpec;
pub use copy::CopyChannels;
pub use cost_model::ConvWorkload;
pub use depthwise::Depthwise;
pub use direct::Direct;
pub use fully_connected::FullyConnected;
pub(crate) use kernels::Kernels;
pub use lrn::Lrn;
pub use map::{Border, Map};
pub use output::Output;
pub use pool::{AdaptiveMean, MaxPool, MeanPool, PoolWindow};
pub use radial_basis::RadialBasis;
pub use separable::Separable;
pub(crate) use shares::PhaseRanges;
pub use simd::{Isa, UnknownIsa};
pub use softmax::Softmax;
pub(crate) use taps::Taps;
pub(crate) use tile::InCache;
pub use transfer::{Export, Import};
pub use unary::Unary;
pub use winograd::{Winograd, WinogradTile};
