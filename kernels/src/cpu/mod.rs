//! Convolution and its companions on slices, without Burn.
//!
//! Maps lie in blocks of as many channels as a vector has lanes ([`Map`]). Each file holds one
//! algorithm: a struct that knows where everything lies, packs its weights once and runs a
//! thread's part. Only the innermost functions are compiled per instruction set ([`Isa`]).
//!
//! The structs are steps of a [`plan::Program`](crate::plan::Program), which checks their maps
//! before it runs them.
#![allow(unsafe_code)]

mod activation;
mod buffer;
pub(crate) mod context;
mod conv;
mod direct;
mod kernels;
mod map;
mod output;
mod simd;
#[cfg(test)]
pub(crate) mod tests;
mod tile;
mod transfer;
mod winograd;

pub use activation::Activation;
pub use buffer::Buffer;
pub(crate) use context::Context;
pub use conv::ConvSpec;
pub use direct::Direct;
pub(crate) use kernels::Kernels;
pub use map::{Border, Map};
pub use output::Output;
pub use simd::{Isa, UnknownIsa};
pub(crate) use tile::multiply_adds_in_cache;
pub use transfer::{Export, Import};
pub use winograd::{Winograd, WinogradTile};
