//! Every operation in terms of Burn's own: right on any backend, recorded by capture, differentiated by
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
