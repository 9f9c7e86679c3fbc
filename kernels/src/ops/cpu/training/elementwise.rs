//! Addition fused with ReLU, and gradients of activations.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;

use super::memory::{FMAS_PER_MEMORY_ACCESS, f32_slice};
use crate::cpu::Activation;
use crate::cpu::gradient::elementwise;
use crate::ops::cpu::execute::threads;
use crate::ops::cpu::host::HostBackend;

/// Returns the gradient of the input of an activation, where `y` is its output and `gradient` the
/// gradient of its output.
pub(super) fn activation_gradient(activation: Activation, y: &[f32], gradient: &[f32]) -> Vec<f32> {
    let threads = threads(y.len() * FMAS_PER_MEMORY_ACCESS);
    let arrays = [y, gradient];
    match activation {
        Activation::Relu => elementwise(threads, arrays, |y, g| if y > 0.0 { g } else { 0.0 }),
        Activation::Clamp { low, high } => elementwise(threads, arrays, |y, g| {
            let is_inside = y > low && y < high;
            if is_inside { g } else { 0.0 }
        }),
        Activation::Tanh => elementwise(threads, arrays, |y, g| g * (1.0 - y * y)),
        _ => gradient.to_vec(),
    }
}

/// Returns the ReLU of `x + y`.
pub(in crate::ops) fn add_relu<B: HostBackend>(
    x: FloatTensor<B>,
    y: FloatTensor<B>,
) -> FloatTensor<B> {
    let [x, y] = [x, y].map(B::into_contiguous);
    let arrays = [&x, &y].map(f32_slice::<B>);
    let threads = threads(arrays[0].len() * FMAS_PER_MEMORY_ACCESS);
    // The comparison is false for NaN, so that NaN is propagated.
    let sum = elementwise(
        threads,
        arrays,
        |x, y| if x + y < 0.0 { 0.0 } else { x + y },
    );
    B::from_vec(sum, x.shape())
}

/// Returns the gradient of the input of a ReLU, where `y` is its output.
pub(in crate::ops) fn relu_gradient<B: HostBackend>(
    y: FloatTensor<B>,
    gradient: FloatTensor<B>,
) -> FloatTensor<B> {
    let [y, gradient] = [y, gradient].map(B::into_contiguous);
    let f32_slice = f32_slice::<B>;
    let values = activation_gradient(Activation::Relu, f32_slice(&y), f32_slice(&gradient));
    B::from_vec(values, y.shape())
}
