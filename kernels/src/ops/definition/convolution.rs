//! Convolution, norm and activation by Burn's operations.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, ExtensionType, Scalar};
use burn::tensor::ops::ConvOptions;

use crate::cpu::Activation;

/// Parameters of a convolution, and of the batch norm and the activation after it.
#[derive(ExtensionType)]
pub(in crate::ops) struct Layer<B: Backend> {
    /// `[channels_out, channels_in / groups, kernel_height, kernel_width]`.
    pub weight: FloatTensor<B>,
    #[extension_type]
    pub bias: Bias<B>,
    #[extension_type]
    pub norm: Norm<B>,
    pub options: ConvOptions<2>,
    pub activation: Activation,
}

/// Optional bias. Backend extensions do not support an `Option` of a tensor.
#[derive(ExtensionType)]
pub(in crate::ops) enum Bias<B: Backend> {
    /// `[channels_out]`.
    Each(FloatTensor<B>),
    /// No bias.
    Absent,
}

/// Optional [batch norm](crate::ops::BatchNorm) after a convolution.
#[derive(ExtensionType)]
pub(in crate::ops) enum Norm<B: Backend> {
    /// Parameters of the norm, `[channels_out]` each.
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

/// See [`conv2d_norm_activation`](crate::ops::conv2d_norm_activation).
pub(in crate::ops) fn forward<B: Backend>(x: FloatTensor<B>, layer: Layer<B>) -> FloatTensor<B> {
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

/// Applies an activation.
pub(in crate::ops) fn activate<B: Backend>(
    x: FloatTensor<B>,
    activation: Activation,
) -> FloatTensor<B> {
    let scalar = |value: f32| Scalar::from(f64::from(value));
    match activation {
        Activation::Identity => x,
        Activation::Relu => B::relu(x),
        Activation::Clamp { low, high } => B::float_clamp(x, scalar(low), scalar(high)),
        Activation::Tanh => B::float_tanh(x),
        Activation::Sigmoid => B::sigmoid(x),
        Activation::LeakyRelu { slope } => B::leaky_relu(x, scalar(slope)),
        Activation::HardSigmoid { alpha, beta } => B::hard_sigmoid(x, scalar(alpha), scalar(beta)),
        Activation::HardSwish => {
            let gate = B::hard_sigmoid(x.clone(), scalar(1.0 / 6.0), scalar(0.5));
            B::float_mul(x, gate)
        }
        Activation::Silu => B::float_mul(x.clone(), B::sigmoid(x)),
        Activation::Gelu => B::gelu(x),
    }
}
