//! Mean pooling by Burn's operation.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

/// See [`mean_pool2d`](crate::ops::mean_pool2d).
pub(in crate::ops) fn forward<B: Backend>(
    x: FloatTensor<B>,
    kernel: [usize; 2],
    stride: [usize; 2],
) -> FloatTensor<B> {
    B::avg_pool2d(x, kernel, stride, [0, 0], true, false)
}
