//! Algorithms of training: gradients of the layers, forward passes that only training needs, and the
//! step of gradient descent.
//!
//! Arrays are row-major and contiguous. Results do not depend on the number of threads.

mod batch_norm;
mod dilate_input;
mod elementwise;
mod linear;
mod lrn;
mod max_pool;
mod mean_pool;
mod sgd;
mod weight_grad;

pub(crate) use crate::cpu::micro::gradient::{LrnParams, SgdParams};
pub(crate) use batch_norm::{BatchNormParams, batch_norm_backward, batch_norm_forward};
pub(crate) use dilate_input::dilate_input;
pub(crate) use elementwise::elementwise;
pub(crate) use linear::{linear, linear_input_gradient, linear_weight_gradient};
pub(crate) use lrn::{lrn, lrn_gradient};
pub(crate) use max_pool::max_pool_gradient;
pub(crate) use mean_pool::PlanarMeanPool;
pub(crate) use sgd::sgd_step;
pub(crate) use weight_grad::{bias_gradient, weight_gradient};
