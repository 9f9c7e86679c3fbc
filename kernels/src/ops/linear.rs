//! Fully connected layer.

use super::backend::KernelOps;
use super::definition::convolution::Bias;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// Returns `x weight + bias`, `[batch, outputs]`, where `x` is `[batch, inputs]`, `weight` is
/// `[inputs, outputs]` and `bias` is `[outputs]`.
///
/// On an autodiff device over Burn's CPU backends, the CPU kernels compute the forward and the backward
/// pass of small batches.
///
/// # Panics
///
/// When the shapes do not fit each other.
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    let ([_, found], [inputs, outputs]) = (x.dims(), weight.dims());
    assert!(
        found == inputs,
        "the input has {found} values per image, the weight expects {inputs}"
    );
    if let Some([found]) = bias.as_ref().map(Tensor::dims) {
        assert!(
            found == outputs,
            "bias has {found} values, expected one for each of {outputs} outputs"
        );
    }
    let bias = match bias {
        Some(bias) => Bias::Each(bias.into_dispatch()),
        None => Bias::Absent,
    };
    Tensor::from_dispatch(Dispatch::fully_connected(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias,
    ))
}
