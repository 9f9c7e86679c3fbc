//! Mean pooling.

use burn::nn::PaddingConfig2d;
use burn::nn::pool::AvgPool2d;
use burn::tensor::Tensor;
use receptive_kernels::ops;

use super::fused_calls::{FusedCall, record};

/// Computes `pool(x)` by [`ops::mean_pool2d`]: `[batch, channels, h, w]` to
/// `[batch, channels, h', w']`.
///
/// A pool with padding or with [`AvgPool2d::ceil_mode`] runs as Burn's own operation.
pub fn mean_pool(pool: &AvgPool2d, x: Tensor<4>) -> Tensor<4> {
    match pool.padding {
        PaddingConfig2d::Valid if !pool.ceil_mode => {
            record(|| FusedCall::MeanPool { input: x.dims() });
            ops::mean_pool2d(x, pool.kernel_size, pool.stride)
        }
        _ => pool.forward(x),
    }
}
