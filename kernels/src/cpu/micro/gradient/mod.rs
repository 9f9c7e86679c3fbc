//! Micro-kernels of training.

mod depthwise_weight_grad;
mod linear;
mod lrn;
mod norm;
mod sgd;
mod weight_grad_tile;

pub(crate) use depthwise_weight_grad::{
    DepthwiseWeightGrad, DepthwiseWeightGradArgs, DepthwiseWeightGradFn, is_three_by_three,
};
pub(crate) use linear::{LinearArgs, LinearFns};
pub(crate) use lrn::{LrnGrad, LrnGradArgs, LrnGradFn, LrnParams};
pub(crate) use norm::{Affine, NormBackward, NormFns};
pub(crate) use sgd::{SgdParams, SgdStep, SgdStepArgs, SgdStepFn};
pub(crate) use weight_grad_tile::{WeightGradArgs, WeightGradTiles};
