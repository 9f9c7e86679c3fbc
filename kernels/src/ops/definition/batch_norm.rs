//! Batch norm over the statistics of a batch by Burn's operations.

use super::convolution::activate;
use crate::cpu::Activation;
use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

/// See [`batch_norm_activation`](crate::ops::batch_norm_activation).
pub(in crate::ops) fn forward<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
    epsilon: f64,
    activation: Activation,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let norm = B::batch_norm_train(x, gamma, beta, epsilon);
    let y = activate::<B>(norm.output, activation);
    (y, norm.mean, norm.variance)
}
