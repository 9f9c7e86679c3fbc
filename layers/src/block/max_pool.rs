//! Max pooling.

use burn::nn::PaddingConfig2d;
use burn::nn::pool::MaxPool2d;
use burn::tensor::Tensor;
use burn::tensor::ops::MaxPoolOptions;
use receptive_kernels::ops;

use super::fused_calls::{FusedCall, record};

/// Computes `pool(x)` by [`ops::max_pool2d`]: `[batch, channels, h, w]` to
/// `[batch, channels, h', w']`.
///
/// A pool with [`PaddingConfig2d::Same`] runs as Burn's own operation.
pub fn max_pool(pool: &MaxPool2d, x: Tensor<4>) -> Tensor<4> {
    let padding = match pool.padding {
        PaddingConfig2d::Valid => [(0, 0); 2],
        PaddingConfig2d::Explicit(top, left, bottom, right) => [(top, bottom), (left, right)],
        PaddingConfig2d::Same => return pool.forward(x),
    };
    record(|| FusedCall::MaxPool { input: x.dims() });
    let options = MaxPoolOptions::new(pool.kernel_size)
        .with_stride(pool.stride)
        .with_padding_pairs(padding)
        .with_dilation(pool.dilation)
        .with_ceil_mode(pool.ceil_mode);
    ops::max_pool2d(x, options)
}
