//! A convolution, its batch norm and its activation, as one operation where that is faster.

use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, PaddingConfig2d};
use burn::tensor::Tensor;
use burn::tensor::ops::ConvOptions;
use receptive_kernels::ops;

use super::Activation;

/// `conv(x)`: `[batch, c_in, h, w]` to `[batch, c_out, h', w']`, as [`conv_norm`] without the rest.
pub fn convolve(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    conv_norm(conv, None, Activation::Identity, x)
}

/// `activation(norm(conv(x)))`: `[batch, c_in, h, w]` to `[batch, c_out, h', w']`.
///
/// In inference one operation, [`ops::conv2d_norm_activation`]. On an autodiff device, where the norm's
/// statistics may follow the batches, and where the padding is to be found first, Burn's own modules one
/// after the other.
pub fn conv_norm(
    conv: &Conv2d,
    norm: Option<&BatchNorm>,
    activation: Activation,
    x: Tensor<4>,
) -> Tensor<4> {
    let device = x.device();
    let padding = match conv.padding {
        PaddingConfig2d::Valid => [(0, 0); 2],
        PaddingConfig2d::Explicit(top, left, bottom, right) => [(top, bottom), (left, right)],
        PaddingConfig2d::Same => return separately(conv, norm, activation, x),
    };
    if device.is_autodiff() {
        return separately(conv, norm, activation, x);
    }
    let options = ConvOptions::new_with_padding(conv.stride, padding, conv.dilation, conv.groups);
    let norm = norm.map(|norm| ops::BatchNorm {
        gamma: norm.gamma.val(),
        beta: norm.beta.val(),
        mean: norm.running_mean.value().to_device(&device),
        variance: norm.running_var.value().to_device(&device),
        epsilon: norm.epsilon,
    });
    let bias = conv.bias.as_ref().map(|bias| bias.val());
    ops::conv2d_norm_activation(x, conv.weight.val(), bias, options, norm, activation.into())
}

fn separately(
    conv: &Conv2d,
    norm: Option<&BatchNorm>,
    activation: Activation,
    x: Tensor<4>,
) -> Tensor<4> {
    let x = conv.forward(x);
    let x = match norm {
        Some(norm) => norm.forward(x),
        None => x,
    };
    activation.forward(x)
}
