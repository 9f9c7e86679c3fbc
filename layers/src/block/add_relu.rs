//! The end of a residual block, fast in training where the kernels run it.

use burn::tensor::Tensor;
use receptive_kernels::ops;

/// `max(x + y, 0)`, `[batch, channels, height, width]` all three.
pub fn add_relu(x: Tensor<4>, y: Tensor<4>) -> Tensor<4> {
    ops::add_relu(x, y)
}
