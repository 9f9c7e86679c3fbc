//! Two-dimensional max pooling.

use burn::backend::Dispatch;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Tensor, module};

use super::backend::KernelOps;
use crate::geometry::{Padding, Rounding, Window};

/// Returns the maximum of each window, `[batch, channels, height', width']`, for `x`,
/// `[batch, channels, height, width]`.
///
/// The result equals that of Burn's max pooling, which capture records.
pub fn max_pool2d(x: Tensor<4>, options: MaxPoolOptions<2>) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let size = [height, width];
    // `KernelOps::max_pooling` supports symmetric padding and counts every window in ceil mode. Burn's
    // function also supports asymmetric padding, and drops a last window that starts in the padding.
    let is_supported = |axis: usize| {
        let (before, after) = options.padding[axis];
        let window = Window {
            kernel: options.kernel_size[axis],
            stride: options.stride[axis],
            padding: Padding::symmetric(before),
            dilation: options.dilation[axis],
            rounding: match options.ceil_mode {
                true => Rounding::Ceil,
                false => Rounding::Floor,
            },
        };
        let Ok(windows) = window.output(size[axis]) else {
            return false;
        };
        let travel = window
            .extent()
            .ok()
            .and_then(|extent| (size[axis] + 2 * before).checked_sub(extent));
        before == after
            && travel.is_some_and(|travel| {
                !options.ceil_mode || travel.div_ceil(window.stride) + 1 == windows
            })
    };
    if !(is_supported(0) && is_supported(1)) {
        return module::max_pool2d(x, options);
    }
    Tensor::from_dispatch(Dispatch::max_pooling(
        x.into_dispatch(),
        options.kernel_size,
        options.stride,
        options.padding.map(|(before, _)| before),
        options.dilation,
        options.ceil_mode,
    ))
}
