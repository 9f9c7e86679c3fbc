//! Operations by the kernels of [`crate::cpu`], for Burn's host backends.
//!
//! A convolution or a max pool in float32, with the operations fused with it, runs as a
//! [plan](crate::plan) of three steps: import, operation, export. Packing the weights of a
//! convolution takes about as long as the convolution, so programs are cached with their packed
//! weights ([`cache`]).

pub(super) mod cache;
mod convolution;
mod execute;
#[cfg(feature = "flex")]
mod flex;
mod fold;
mod host;
#[cfg(feature = "ndarray")]
mod ndarray;
pub(super) mod pool;
mod program;
#[cfg(feature = "autodiff")]
pub(super) mod training;

pub(super) use convolution::convolution;
#[cfg(feature = "autodiff")]
pub(super) use host::HostBackend;
