//! The sum and the ReLU that end a residual block.

use burn::tensor::Tensor;
use receptive_kernels::ops;

use super::fused_calls::{FusedCall, record};

/// Computes `max(x + y, 0)` as one operation, [`ops::add_relu`].
///
/// `x`, `y` and the result are `[batch, channels, height, width]`.
pub fn add_relu(x: Tensor<4>, y: Tensor<4>) -> Tensor<4> {
    record(|| FusedCall::AddRelu { shape: x.dims() });
    ops::add_relu(x, y)
}
