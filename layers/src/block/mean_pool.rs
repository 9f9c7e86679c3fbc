//! Mean pooling, fast where the kernels run it.

use burn::nn::PaddingConfig2d;
use burn::nn::pool::AvgPool2d;
use burn::tensor::Tensor;
use receptive_kernels::ops;

/// `pool(x)`: `[batch, channels, h, w]` to `[batch, channels, h', w']`, without padding as
/// [`ops::mean_pool2d`] runs it.
pub fn mean_pool(pool: &AvgPool2d, x: Tensor<4>) -> Tensor<4> {
    match pool.padding {
        PaddingConfig2d::Valid if !pool.ceil_mode => {
            ops::mean_pool2d(x, pool.kernel_size, pool.stride)
        }
        _ => pool.forward(x),
    }
}
