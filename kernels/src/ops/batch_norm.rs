//! Batch norm over the statistics of the batch, for training.

use super::backend::KernelOps;
use crate::cpu::Activation;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// Returns `activation(gamma * (x - mean) / sqrt(variance + epsilon) + beta)`, where `mean` and
/// `variance` are the statistics of each channel of `x` (Batch Normalization, algorithm 1), and these
/// statistics.
///
/// `x` and the output are `[batch, channels, height, width]`; `gamma`, `beta`, the mean and the
/// variance are `[channels]`. The variance is biased: the mean of squared deviations. The output is
/// differentiable with respect to `x`, `gamma` and `beta`; the returned statistics are not
/// differentiable.
///
/// # Panics
///
/// When `gamma` or `beta` does not have one value for each channel.
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
