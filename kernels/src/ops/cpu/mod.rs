//! Operations by [`crate::cpu`] for Burn's CPU backends.
//!
//! An operation in float32, with all that is fused to it, is a [plan](crate::plan) of its own:
//! import, the step, export. Packing a convolution's weights takes as long as the convolution, so that plans are
//! kept ([`cache`]).

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
pub(super) use host::Host;
