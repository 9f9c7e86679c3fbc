//! Two-dimensional convolution, and what follows it in most networks.

use burn::backend::Dispatch;
use burn::tensor::Tensor;
use burn::tensor::ops::ConvOptions;

use super::backend::KernelOps;
use super::definition::convolution::{Bias, Layer, Norm};
use crate::cpu::Activation;
use crate::geometry::{Padding, Rounding, Window};

/// Convolves `x` with `weight` (as cross-correlation, the way networks do), then adds `bias`.
///
/// `x` is `[batch, channels_in, height, width]`, `weight`
/// `[channels_out, channels_in / groups, kernel_height, kernel_width]`, `bias` `[channels_out]`;
/// the result is `[batch, channels_out, height', width']`, its size as
/// [`Window::output`](crate::geometry::Window::output) says. Capture records Burn's own
/// convolution.
///
/// # Panics
///
/// When the channels of `weight` or `bias` do not fit `x`, a group count that does not divide both
/// channel counts, or a window that does not fit the padded input.
pub fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    conv2d_norm_activation(x, weight, bias, options, None, Activation::Identity)
}

/// Batch norm as inference has it, `gamma * (x - mean) / sqrt(variance + epsilon) + beta` in each
/// channel (Batch Normalization, algorithm 2).
#[derive(Debug, Clone)]
pub struct BatchNorm {
    /// The scale, `[channels]`.
    pub gamma: Tensor<1>,
    /// The shift, `[channels]`.
    pub beta: Tensor<1>,
    /// The mean over the training set, `[channels]`.
    pub mean: Tensor<1>,
    /// The variance over the training set, `[channels]`.
    pub variance: Tensor<1>,
    /// Added to the variance.
    pub epsilon: f64,
}

/// [`conv2d`], then `norm`, then `activation`, element by element.
///
/// Capture records Burn's own operations, one after the other. On Burn's CPU backends tensors of `f32`
/// go through the norm, folded into the weights, and the activation on their way to memory.
///
/// # Panics
///
/// As [`conv2d`], and when the norm is not of the weight's output channels.
pub fn conv2d_norm_activation(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
    norm: Option<BatchNorm>,
    activation: Activation,
) -> Tensor<4> {
    check(x.dims(), weight.dims(), &options);
    let channels_out = weight.dims()[0];
    let each = |name, values: Tensor<1>| {
        let [found] = values.dims();
        assert!(
            found == channels_out,
            "{name} has {found} values, expected one for each of {channels_out} output channels"
        );
        values.into_dispatch()
    };
    let layer = Layer {
        weight: weight.into_dispatch(),
        bias: match bias {
            Some(bias) => Bias::Each(each("bias", bias)),
            None => Bias::Absent,
        },
        norm: match norm {
            Some(norm) => Norm::Batch {
                gamma: each("gamma", norm.gamma),
                beta: each("beta", norm.beta),
                mean: each("mean", norm.mean),
                variance: each("variance", norm.variance),
                epsilon: norm.epsilon,
            },
            None => Norm::Absent,
        },
        options,
        activation,
    };
    Tensor::from_dispatch(Dispatch::convolution(x.into_dispatch(), layer))
}

fn check(x: [usize; 4], weight: [usize; 4], options: &ConvOptions<2>) {
    let [_, channels_in, height, width] = x;
    let [channels_out, channels_group, kernel_height, kernel_width] = weight;
    let groups = options.groups;
    assert!(
        groups > 0 && channels_in == channels_group * groups && channels_out % groups == 0,
        "weight {weight:?} in {groups} groups does not fit the {channels_in} channels of the input"
    );
    let axes = [(height, kernel_height), (width, kernel_width)];
    for (axis, (input, kernel)) in axes.into_iter().enumerate() {
        let (before, after) = options.padding[axis];
        let window = Window {
            kernel,
            stride: options.stride[axis],
            padding: Padding::Explicit { before, after },
            dilation: options.dilation[axis],
            rounding: Rounding::Floor,
        };
        if let Err(error) = window.output(input) {
            panic!("convolution over an input of {height} x {width}: {error}");
        }
    }
}
