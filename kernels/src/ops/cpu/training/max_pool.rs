//! Gradient of max pooling.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;

use super::memory::floats;
use crate::cpu::PoolWindow;
use crate::cpu::gradient::max_pool_gradient;
use crate::ops::cpu::execute::threads;
use crate::ops::cpu::host::Host;

/// The gradient of the input `x` of a max pool to `y`.
pub(in crate::ops) fn max_pool_gradients<B: Host>(
    x: FloatTensor<B>,
    y: FloatTensor<B>,
    window: &PoolWindow,
    gradient: FloatTensor<B>,
) -> FloatTensor<B> {
    let [x, y, gradient] = [x, y, gradient].map(B::contiguous);
    let floats = floats::<B>;
    let sizes = [&x, &y].map(|map| [map.shape()[2], map.shape()[3]]);
    let taps = window.kernel[0] * window.kernel[1];
    let made = max_pool_gradient(
        threads(floats(&y).len() * taps),
        window,
        sizes,
        floats(&x),
        [floats(&y), floats(&gradient)],
    );
    B::tensor(made, x.shape())
}
