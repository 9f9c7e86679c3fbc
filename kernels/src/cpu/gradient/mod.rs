//! What training needs beside the forward pass: gradients, and batch norm over a batch's own statistics.
//!
//! Arrays are the caller's, `[images, channels, height, width]`. Each function takes the instruction set and
//! the number of threads; its result does not depend on the latter. The gradient of a convolution's input is
//! a convolution too, by [`Direct`](super::Direct) and the others over weights that
//! [`Taps`](super::Taps) turns round.

mod depthwise_weight_grad;
mod dilate_input;
mod elementwise;
mod linear;
mod lrn;
mod mean;
mod norm;
mod pool;
mod sgd;
mod shared;
mod weight_grad;
mod weight_grad_tile;

pub(super) use depthwise_weight_grad::{DepthwiseWeightGrad, DepthwiseWeightGradFn};
pub(crate) use dilate_input::dilate_input;
pub(crate) use elementwise::elementwise;
pub(super) use linear::LinearFns;
pub(crate) use linear::{linear, linear_input_gradient, linear_weight_gradient};
pub(super) use lrn::{LrnGrad, LrnGradFn};
pub(crate) use lrn::{LrnParams, lrn, lrn_gradient};
pub(crate) use mean::Means;
pub(super) use norm::NormFns;
pub(crate) use norm::{Norm, normalise, normalise_gradient};
pub(crate) use pool::max_pool_gradient;
pub(crate) use sgd::{SgdParams, sgd_step};
pub(super) use sgd::{SgdStep, SgdStepFn};
pub(crate) use shared::Shared;
pub(crate) use weight_grad::{bias_gradient, weight_gradient};
pub(super) use weight_grad_tile::WeightGradTiles;
