//! Convolution, batch norm, activation: the unit that most networks repeat.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, PaddingConfig2d};
use burn::tensor::{Device, Tensor, activation};
use receptive_kernels::cpu;

use super::{conv_norm, init};

/// What follows a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// Nothing.
    #[default]
    Identity,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// The hyperbolic tangent.
    Tanh,
}

impl Activation {
    /// Element by element, any shape.
    pub fn forward<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Identity => x,
            Self::Relu => activation::relu(x),
            Self::Relu6 => activation::relu6(x),
            Self::Tanh => x.tanh(),
        }
    }
}

impl From<Activation> for cpu::Activation {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Identity => Self::Identity,
            Activation::Relu => Self::Relu,
            Activation::Relu6 => Self::Clamp {
                low: 0.0,
                high: 6.0,
            },
            Activation::Tanh => Self::Tanh,
        }
    }
}

/// Hyperparameters of a [`ConvBlock`].
#[derive(Debug, Clone)]
pub struct ConvBlockConfig {
    /// Input and output channels.
    pub channels: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: usize,
    /// Vertical and horizontal step.
    pub stride: usize,
    /// Zeros added on every side.
    pub padding: usize,
    /// Groups of channels that do not see each other; `channels[0]` for depthwise.
    pub groups: usize,
    /// Batch norm's epsilon; `None` for a convolution with a bias and no norm.
    pub norm: Option<f64>,
    /// What follows.
    pub activation: Activation,
    /// How the convolution's weight starts.
    pub initializer: Initializer,
}

impl ConvBlockConfig {
    /// Stride 1, `kernel / 2` zeros of padding, batch norm of epsilon 1e-5, ReLU, and He's normal
    /// initialisation over the fan out (Delving Deep into Rectifiers, eq. 14).
    pub fn new(channels: [usize; 2], kernel: usize) -> Self {
        Self {
            channels,
            kernel,
            stride: 1,
            padding: kernel / 2,
            groups: 1,
            norm: Some(1e-5),
            activation: Activation::Relu,
            initializer: Initializer::KaimingNormal {
                gain: std::f64::consts::SQRT_2,
                fan_out_only: true,
            },
        }
    }

    /// The block on `device`.
    pub fn init(&self, device: &Device) -> ConvBlock {
        let p = self.padding;
        ConvBlock {
            conv: init::conv2d(
                &Conv2dConfig::new(self.channels, [self.kernel; 2])
                    .with_stride([self.stride; 2])
                    .with_padding(PaddingConfig2d::Explicit(p, p, p, p))
                    .with_groups(self.groups)
                    .with_bias(self.norm.is_none())
                    .with_initializer(self.initializer.clone()),
                0.0,
                device,
            ),
            bn: self.norm.map(|epsilon| {
                BatchNormConfig::new(self.channels[1])
                    .with_epsilon(epsilon)
                    .init(device)
            }),
            activation: self.activation,
        }
    }
}

/// Convolution, batch norm (or the convolution's bias), activation.
#[derive(Module, Debug)]
pub struct ConvBlock {
    /// The convolution; it has a bias where there is no norm.
    pub conv: Conv2d,
    /// The norm, if any.
    pub bn: Option<BatchNorm>,
    /// What follows.
    #[module(skip)]
    pub activation: Activation,
}

impl ConvBlock {
    /// `[batch, c_in, h, w]` to `[batch, c_out, h', w']`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        conv_norm(&self.conv, self.bn.as_ref(), self.activation, x)
    }
}
