//! A convolution, its batch norm and its activation: the unit that most networks repeat.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, PaddingConfig2d};
use burn::tensor::{Device, Tensor};

use super::activation::Activation;
use super::conv_norm::conv_norm;
use super::init;

/// Hyperparameters of a [`ConvBlock`].
#[derive(Debug, Clone)]
pub struct ConvBlockConfig {
    /// Input and output channels.
    pub channels: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: usize,
    /// Vertical and horizontal stride.
    pub stride: usize,
    /// Zeros added on every side.
    pub padding: usize,
    /// Groups of channels: an output channel reads only the input channels of its group.
    /// `channels[0]` groups are a depthwise convolution.
    pub groups: usize,
    /// The epsilon of the batch norm; `None` for a convolution with a bias and without norm.
    pub norm: Option<f64>,
    /// The activation after the norm.
    pub activation: Activation,
    /// The initial distribution of the convolution's weight.
    pub initializer: Initializer,
}

impl ConvBlockConfig {
    /// Creates a configuration with stride 1, `kernel / 2` zeros of padding, batch norm of epsilon
    /// 1e-5, ReLU, and He's normal initialisation over the fan out (Delving Deep into Rectifiers,
    /// equation 14).
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

    /// Builds the block on `device`.
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

/// A convolution, a batch norm or the convolution's bias, and an activation.
#[derive(Module, Debug)]
pub struct ConvBlock {
    /// The convolution, with a bias if the block has no norm.
    pub conv: Conv2d,
    /// The norm after the convolution, if any.
    pub bn: Option<BatchNorm>,
    /// The activation after the norm.
    #[module(skip)]
    pub activation: Activation,
}

impl ConvBlock {
    /// Maps `[batch, c_in, h, w]` to `[batch, c_out, h', w']`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        conv_norm(&self.conv, self.bn.as_ref(), self.activation, x)
    }
}
