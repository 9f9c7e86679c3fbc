//! A convolution and its ReLU.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};
use receptive_layers::block::{Activation, ConvBlock, ConvBlockConfig, conv_norm, init};

use crate::edition::Edition;

/// A convolution whose padding keeps the size at stride 1, and a ReLU.
#[derive(Module, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a network has few units, and Burn does not implement Module for Box"
)]
pub enum ConvUnit {
    /// A convolution with a bias: the paper's edition.
    Biased(Conv2d),
    /// A convolution with a batch norm: torchvision's edition.
    Normalised(ConvBlock),
}

impl ConvUnit {
    pub(crate) fn new(
        edition: Edition,
        channels: [usize; 2],
        kernel: usize,
        stride: usize,
        device: &Device,
    ) -> Self {
        let p = kernel / 2;
        match edition {
            Edition::Paper => Self::Biased(init::conv2d(
                &Conv2dConfig::new(channels, [kernel; 2])
                    .with_stride([stride; 2])
                    .with_padding(PaddingConfig2d::Explicit(p, p, p, p))
                    .with_initializer(edition.initializer()),
                edition.bias(),
                device,
            )),
            Edition::Torchvision => Self::Normalised(
                ConvBlockConfig {
                    stride,
                    norm: Some(1e-3),
                    initializer: edition.initializer(),
                    ..ConvBlockConfig::new(channels, kernel)
                }
                .init(device),
            ),
        }
    }

    /// Maps `[batch, c_in, h, w]` to `[batch, c_out, ceil(h / stride), ceil(w / stride)]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Biased(conv) => conv_norm(conv, None, Activation::Relu, x),
            Self::Normalised(block) => block.forward(x),
        }
    }
}
