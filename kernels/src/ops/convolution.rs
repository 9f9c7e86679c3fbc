//! Two-dimensional convolution, and what follows it in most networks.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, ExtensionType, Scalar};
use burn::tensor::Tensor;
use burn::tensor::ops::ConvOptions;

use super::backend::KernelOps;
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

/// A convolution and what follows it.
#[derive(ExtensionType)]
pub(super) struct Layer<B: Backend> {
    /// `[channels_out, channels_in / groups, kernel_height, kernel_width]`.
    pub weight: FloatTensor<B>,
    #[extension_type]
    pub bias: Bias<B>,
    #[extension_type]
    pub norm: Norm<B>,
    pub options: ConvOptions<2>,
    pub activation: Activation,
}

/// A convolution's bias, if it has one; the extension's routing takes no `Option` of a tensor.
#[derive(ExtensionType)]
pub(super) enum Bias<B: Backend> {
    /// `[channels_out]`.
    Each(FloatTensor<B>),
    /// No bias.
    Absent,
}

/// The [`BatchNorm`] after a convolution, if there is one.
#[derive(ExtensionType)]
pub(super) enum Norm<B: Backend> {
    /// `[channels_out]` each.
    Batch {
        gamma: FloatTensor<B>,
        beta: FloatTensor<B>,
        mean: FloatTensor<B>,
        variance: FloatTensor<B>,
        epsilon: f64,
    },
    /// No norm.
    Absent,
}

/// By the backend's own operations.
pub(super) fn forward<B: Backend>(x: FloatTensor<B>, layer: Layer<B>) -> FloatTensor<B> {
    let bias = match layer.bias {
        Bias::Each(bias) => Some(bias),
        Bias::Absent => None,
    };
    let x = B::conv2d(x, layer.weight, bias, layer.options);
    let x = match layer.norm {
        Norm::Batch {
            gamma,
            beta,
            mean,
            variance,
            epsilon,
        } => B::batch_norm(x, gamma, beta, mean, variance, epsilon),
        Norm::Absent => x,
    };
    activate::<B>(x, layer.activation)
}

/// By the backend's own operations.
pub(super) fn activate<B: Backend>(x: FloatTensor<B>, activation: Activation) -> FloatTensor<B> {
    let scalar = |value: f32| Scalar::from(f64::from(value));
    match activation {
        Activation::Identity => x,
        Activation::Relu => B::relu(x),
        Activation::Clamp { low, high } => B::float_clamp(x, scalar(low), scalar(high)),
        Activation::Tanh => B::float_tanh(x),
        Activation::Sigmoid => B::sigmoid(x),
    }
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
