//! Batch norm over the statistics of a batch, fused with an activation, and its gradients.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::memory::{FMAS_PER_MEMORY_ACCESS, f32_slice};
use crate::cpu::Activation;
use crate::cpu::gradient::{BatchNormParams, batch_norm_backward, batch_norm_forward};
use crate::ops::cpu::execute::threads;
use crate::ops::cpu::host::HostBackend;
use crate::ops::cpu::program::isa;

/// Batch norm over the statistics of `x`, `[images, channels, height, width]`, then the activation.
/// Returns the output, and the mean and variance of each channel.
pub(in crate::ops) fn batch_norm<B: HostBackend>(
    x: FloatTensor<B>,
    [gamma, beta]: [FloatTensor<B>; 2],
    epsilon: f64,
    activation: Activation,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let [x, gamma, beta] = [x, gamma, beta].map(B::into_contiguous);
    let shape = x.shape();
    let values = f32_slice::<B>(&x);
    let params = BatchNormParams {
        gamma: f32_slice::<B>(&gamma),
        beta: f32_slice::<B>(&beta),
        epsilon,
        activation,
    };
    let output = batch_norm_forward(
        isa().expect("checked by is_supported"),
        threads(values.len() * FMAS_PER_MEMORY_ACCESS),
        values,
        shape[2] * shape[3],
        &params,
    );
    let channels = Shape::new([shape[1]]);
    (
        B::from_vec(output.y, shape),
        B::from_vec(output.mean, channels.clone()),
        B::from_vec(output.variance, channels),
    )
}

/// Returns the gradients of the input, scale and shift of [`batch_norm`].
pub(in crate::ops) fn batch_norm_gradients<B: HostBackend>(
    x: FloatTensor<B>,
    [gamma, beta, mean, variance]: [FloatTensor<B>; 4],
    epsilon: f64,
    activation: Activation,
    gradient: FloatTensor<B>,
) -> [FloatTensor<B>; 3] {
    let [x, gamma, beta, mean, variance, gradient] =
        [x, gamma, beta, mean, variance, gradient].map(B::into_contiguous);
    let f32_slice = f32_slice::<B>;
    let shape = x.shape();
    let params = BatchNormParams {
        gamma: f32_slice(&gamma),
        beta: f32_slice(&beta),
        epsilon,
        activation,
    };
    let values = f32_slice(&x);
    let gradients = batch_norm_backward(
        isa().expect("checked by is_supported"),
        threads(values.len() * FMAS_PER_MEMORY_ACCESS),
        [values, f32_slice(&gradient)],
        shape[2] * shape[3],
        &params,
        [f32_slice(&mean), f32_slice(&variance)],
    );
    let channels = Shape::new([shape[1]]);
    [
        B::from_vec(gradients.x, shape),
        B::from_vec(gradients.gamma, channels.clone()),
        B::from_vec(gradients.beta, channels),
    ]
}
