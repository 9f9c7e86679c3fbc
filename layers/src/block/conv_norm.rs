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
/// In inference one operation, [`ops::conv2d_norm_activation`]. On an autodiff device the convolution is one,
/// with the activation if there is no norm, and the norm with its activation another,
/// [`ops::batch_norm_activation`]. Where the padding is to be found first, Burn's own modules one after
/// the other.
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
            return normalised(norm, activation, x);
        }
    };
    let options = ConvOptions::new_with_padding(conv.stride, padding, conv.dilation, conv.groups);
    let bias = conv.bias.as_ref().map(|bias| bias.val());
    let weight = conv.weight.val();
    if let Some(norm) = norm.filter(|_| device.is_autodiff()) {
        let x = ops::conv2d(x, weight, bias, options);
        return normalised(Some(norm), activation, x);
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

/// `activation(norm(x))`, `[batch, channels, h, w]`; over the batch's own statistics, which the running ones
/// then follow, on an autodiff device unless the norm is frozen.
fn normalised(norm: Option<&BatchNorm>, activation: Activation, x: Tensor<4>) -> Tensor<4> {
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
        let before = running.value_sync().to_device(&device);
        let after = before * (1.0 - norm.momentum) + batch.detach() * norm.momentum;
        running.update(after.detach());
    }
    y
}
