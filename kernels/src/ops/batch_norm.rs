//! Batch norm over the statistics of the batch itself, for training.

use super::backend::KernelOps;
use crate::cpu::Activation;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// `activation(gamma * (x - mean) / sqrt(variance + epsilon) + beta)` with the mean and the variance of each
/// channel of `x` (Batch Normalization, algorithm 1), and these two.
///
/// `x` is `[batch, channels, height, width]`, the result has its shape; all others are `[channels]`, the
/// variance is a mean of squares (biased). Gradients go through all but the returned statistics.
pub fn batch_norm_activation(
    x: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
    activation: Activation,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    let [_, channels, _, _] = x.dims();
    for (name, [found]) in [("gamma", gamma.dims()), ("beta", beta.dims())] {
        assert!(
            found == channels,
            "{name} has {found} values, expected one for each of {channels} channels"
        );
    }
    let (y, mean, variance) = Dispatch::batch_norm_activation(
        x.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        epsilon,
        activation,
    );
    (
        Tensor::from_dispatch(y),
        Tensor::from_dispatch(mean),
        Tensor::from_dispatch(variance),
    )
}
