//! Two-dimensional mean pooling.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch};
use burn::tensor::Tensor;

use super::backend::KernelOps;
use crate::geometry::Window;

/// The mean of each window within the map: `[batch, channels, height, width]` to
/// `[batch, channels, height', width']`. The same as Burn's without padding, which capture records.
///
/// # Panics
///
/// When the window does not fit.
pub fn mean_pool2d(x: Tensor<4>, kernel: [usize; 2], stride: [usize; 2]) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    for (axis, length) in [height, width].into_iter().enumerate() {
        let window = Window {
            stride: stride[axis],
            ..Window::new(kernel[axis])
        };
        if let Err(error) = window.output(length) {
            panic!("mean pool over an input of {height} x {width}: {error}");
        }
    }
    Tensor::from_dispatch(Dispatch::mean_pooling(x.into_dispatch(), kernel, stride))
}

/// By the backend's own operation.
pub(super) fn forward<B: Backend>(
    x: FloatTensor<B>,
    kernel: [usize; 2],
    stride: [usize; 2],
) -> FloatTensor<B> {
    B::avg_pool2d(x, kernel, stride, [0, 0], true, false)
}
