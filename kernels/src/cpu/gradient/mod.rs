//! What training needs beside the forward pass: gradients, and batch norm over a batch's own statistics.
//!
//! Arrays are the caller's, `[images, channels, height, width]`. Each function takes the instruction set and
//! the number of threads; its result does not depend on the latter. The gradient of a convolution's input is
//! a convolution too, by [`Direct`](super::Direct) and the others over weights that
//! [`Taps`](super::Taps) turns round.

mod depthwise;
mod linear;
mod lrn;
mod mean;
mod norm;
mod pairs;
mod pool;
mod products;
mod shared;
mod spread;
mod step;
mod weights;

pub(super) use depthwise::{TapSums, TapSumsFn};
pub(super) use linear::LinearFns;
pub(crate) use linear::{linear, linear_input_gradient, linear_weight_gradient};
pub(super) use lrn::{Respond, RespondFn};
pub(crate) use lrn::{Response, respond, respond_gradient};
pub(crate) use mean::Means;
pub(super) use norm::NormFns;
pub(crate) use norm::{Norm, normalise, normalise_gradient};
pub(crate) use pairs::pairwise;
pub(crate) use pool::max_pool_gradient;
pub(super) use products::Products;
pub(crate) use shared::Shared;
pub(crate) use spread::spread;
pub(crate) use step::{Descent, descend};
pub(super) use step::{Step, StepFn};
pub(crate) use weights::{bias_gradient, weight_gradient};
