//! A fully connected layer.

use super::backend::KernelOps;
use super::definition::convolution::Bias;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// `x weight + bias`: `x` is `[batch, inputs]`, `weight` `[inputs, outputs]`, `bias` `[outputs]`, the result
/// `[batch, outputs]`. On an autodiff device over Burn's CPU backends few images go through the CPU kernels,
/// both ways.
///
/// # Panics
///
/// When the shapes do not fit.
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    let ([_, found], [inputs, outputs]) = (x.dims(), weight.dims());
    assert!(
        found == inputs,
        "an input of {found} values, expected the weight's {inputs}"
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
