//! A convolution, its batch norm and its activation as fused operations.

use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, PaddingConfig2d};
use burn::tensor::Tensor;
use burn::tensor::ops::ConvOptions;
use receptive_kernels::ops;

use super::activation::Activation;
use super::fused_calls::{FusedCall, record};

/// Computes `conv(x)`, [`conv_norm`] without norm and activation: `[batch, c_in, h, w]` to
/// `[batch, c_out, h', w']`.
pub fn convolve(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    conv_norm(conv, None, Activation::Identity, x)
}

/// Computes `activation(norm(conv(x)))`: `[batch, c_in, h, w]` to `[batch, c_out, h', w']`.
///
/// In inference the three layers are one operation, [`ops::conv2d_norm_activation`]. On an autodiff
/// device a convolution without norm is one operation with its activation; a convolution with a
/// norm is [`ops::conv2d`], then [`ops::batch_norm_activation`]. A convolution with
/// [`PaddingConfig2d::Same`], whose padding depends on the input, is not fused.
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
        PaddingConfig2d::Same => {
            let x = conv.forward(x);
            return norm_activation(norm, activation, x);
        }
    };
    record(|| FusedCall::Conv {
        weight: conv.weight.id,
        norm: norm.map(|norm| norm.gamma.id),
        activation,
    });
    let options = ConvOptions::new_with_padding(conv.stride, padding, conv.dilation, conv.groups);
    let bias = conv.bias.as_ref().map(|bias| bias.val());
    let weight = conv.weight.val();
    if let Some(norm) = norm.filter(|_| device.is_autodiff()) {
        let x = ops::conv2d(x, weight, bias, options);
        return norm_activation(Some(norm), activation, x);
    }
    let norm = norm.map(|norm| ops::BatchNorm {
        gamma: norm.gamma.val(),
        beta: norm.beta.val(),
        mean: norm.running_mean.value().to_device(&device),
        variance: norm.running_var.value().to_device(&device),
        epsilon: norm.epsilon,
    });
    ops::conv2d_norm_activation(x, weight, bias, options, norm, activation.into())
}

/// Computes `activation(norm(x))` of maps `[batch, channels, h, w]`.
///
/// On an autodiff device a norm that is not frozen uses the statistics of the batch and updates its
/// running statistics; otherwise the norm uses its running statistics.
fn norm_activation(norm: Option<&BatchNorm>, activation: Activation, x: Tensor<4>) -> Tensor<4> {
    let Some(norm) = norm else {
        return activation.forward(x);
    };
    let device = x.device();
    if !(device.is_autodiff() && norm.training.is_enabled()) {
        return activation.forward(norm.forward(x));
    }
    let [gamma, beta] = [&norm.gamma, &norm.beta].map(|param| param.val());
    let (y, mean, variance) =
        ops::batch_norm_activation(x, gamma, beta, norm.epsilon, activation.into());
    for (running, batch) in [(&norm.running_mean, mean), (&norm.running_var, variance)] {
        let old = running.value_sync().to_device(&device);
        let new = old * (1.0 - norm.momentum) + batch.detach() * norm.momentum;
        running.update(new.detach());
    }
    y
}
