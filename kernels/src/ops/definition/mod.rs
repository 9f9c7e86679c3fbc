//! Definition of every operation by Burn's operations.
//!
//! The definitions are valid on every backend, can be recorded by capture and can be differentiated by
//! autodiff.

pub(super) mod add_relu;
pub(super) mod batch_norm;
pub(super) mod convolution;
#[cfg(feature = "autodiff")]
pub(super) mod layer_gradients;
pub(super) mod linear;
pub(super) mod local_response_norm;
pub(super) mod mean_pool;
pub(super) mod radial_basis;
pub(super) mod sgd_step;
