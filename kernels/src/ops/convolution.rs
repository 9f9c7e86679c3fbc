//! Two-dimensional convolution, fused with batch norm and an activation.

use burn::backend::Dispatch;
use burn::tensor::Tensor;
use burn::tensor::ops::ConvOptions;

use super::backend::KernelOps;
use super::definition::convolution::{Bias, Layer, Norm};
use crate::cpu::Activation;
use crate::geometry::{Padding, Rounding, Window};

/// Convolves `x` with `weight` (as cross-correlation, without flipping the kernel) and adds `bias`.
///
/// `x` is `[batch, channels_in, height, width]`, `weight` is
/// `[channels_out, channels_in / groups, kernel_height, kernel_width]`, `bias` is `[channels_out]`.
/// The output is `[batch, channels_out, height', width']` with the height and width that
/// [`Window::output`](crate::geometry::Window::output) returns. Capture records Burn's convolution.
///
/// # Panics
///
/// When the channels of `weight` or `bias` do not fit `x`, the number of groups does not divide both
/// numbers of channels, or the kernel is larger than the padded input.
pub fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    conv2d_norm_activation(x, weight, bias, options, None, Activation::Identity)
}

/// Batch norm for inference: `gamma * (x - mean) / sqrt(variance + epsilon) + beta` in each channel
/// (Batch Normalization, algorithm 2).
#[derive(Debug, Clone)]
pub struct BatchNorm {
    /// Scale, `[channels]`.
    pub gamma: Tensor<1>,
    /// Shift, `[channels]`.
    pub beta: Tensor<1>,
    /// Mean over the training set, `[channels]`.
    pub mean: Tensor<1>,
    /// Variance over the training set, `[channels]`.
    pub variance: Tensor<1>,
    /// Constant that is added to the variance.
    pub epsilon: f64,
}

/// Convolution as [`conv2d`], then batch norm, then an activation.
///
/// On Burn's CPU backends the operation is fused for tensors of `f32`: the norm is folded into the
/// weights, and the activation is applied before the output is written. Capture records Burn's
/// convolution, batch norm and activation.
///
/// # Panics
///
/// As [`conv2d`], and when a parameter of the norm does not have one value for each output channel.
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
    let per_channel = |name, values: Tensor<1>| {
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
            Some(bias) => Bias::Each(per_channel("bias", bias)),
            None => Bias::Absent,
        },
        norm: match norm {
            Some(norm) => Norm::Batch {
                gamma: per_channel("gamma", norm.gamma),
                beta: per_channel("beta", norm.beta),
                mean: per_channel("mean", norm.mean),
                variance: per_channel("variance", norm.variance),
                epsilon: norm.epsilon,
            },
            None => Norm::Absent,
        },
        options,
        activation,
    };
    Tensor::from_dispatch(Dispatch::convolution(x.into_dispatch(), layer))
}

/// Panics unless the weight fits the channels of `x` and the kernel fits the padded input.
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
