//! Gradient of max pooling.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;

use super::memory::f32_slice;
use crate::cpu::PoolWindow;
use crate::cpu::gradient;
use crate::ops::cpu::execute::threads;
use crate::ops::cpu::host::HostBackend;

/// Returns the gradient of the input `x` of a max pool with output `y`.
pub(in crate::ops) fn max_pool_gradient<B: HostBackend>(
    x: FloatTensor<B>,
    y: FloatTensor<B>,
    window: &PoolWindow,
    gradient: FloatTensor<B>,
) -> FloatTensor<B> {
    let [x, y, gradient] = [x, y, gradient].map(B::into_contiguous);
    let f32_slice = f32_slice::<B>;
    let sizes = [&x, &y].map(|map| [map.shape()[2], map.shape()[3]]);
    let taps = window.kernel[0] * window.kernel[1];
    let values = gradient::max_pool_gradient(
        threads(f32_slice(&y).len() * taps),
        window,
        sizes,
        f32_slice(&x),
        [f32_slice(&y), f32_slice(&gradient)],
    );
    B::from_vec(values, x.shape())
}
