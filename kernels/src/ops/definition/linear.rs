//! Fully connected layer by Burn's operation.

use super::convolution::Bias;
use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

/// See [`linear`](crate::ops::linear()).
pub(in crate::ops) fn forward<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: Bias<B>,
) -> FloatTensor<B> {
    let bias = match bias {
        Bias::Each(bias) => Some(bias),
        Bias::Absent => None,
    };
    B::linear(x, weight, bias)
}
