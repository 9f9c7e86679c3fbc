//! Two-dimensional mean pooling.

use super::backend::KernelOps;
use crate::geometry::Window;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// Returns the mean of each window, `[batch, channels, height', width']`, for `x`,
/// `[batch, channels, height, width]`. Windows lie within the map.
///
/// The result equals that of Burn's mean pooling without padding, which capture records.
///
/// # Panics
///
/// When the window is larger than the map.
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
