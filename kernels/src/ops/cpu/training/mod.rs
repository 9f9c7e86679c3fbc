//! Operations of training by the CPU kernels, and their gradients.
//!
//! Weights change in every step, so convolutions pack them for one run.

mod batch_norm;
mod convolution;
mod elementwise;
mod linear;
mod lrn;
mod max_pool;
mod mean_pool;
mod memory;
mod sgd;
#[cfg(all(test, feature = "flex"))]
mod tests;

pub(in crate::ops) use batch_norm::{batch_norm, batch_norm_gradients};
pub(in crate::ops) use convolution::{convolution, convolution_gradients};
pub(in crate::ops) use elementwise::{add_relu, relu_gradient};
pub(in crate::ops) use linear::{fully_connected, linear_gradients};
pub(in crate::ops) use lrn::{LRN_BETA, local_response_norm};
pub(in crate::ops) use max_pool::max_pool_gradient;
pub(in crate::ops) use mean_pool::{mean_pool, mean_pool_gradient};
pub(in crate::ops) use memory::is_supported;
pub(in crate::ops) use sgd::sgd_step;
