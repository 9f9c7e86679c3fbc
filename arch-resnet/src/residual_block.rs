//! The two residual blocks of figure 5.

use burn::module::Module;
use burn::nn::BatchNorm;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};
use receptive_layers::block::{Activation, add_relu, conv_norm};
use serde::{Deserialize, Serialize};

use crate::conv::{conv, norm};
use crate::shortcut::{self, Projection, Shortcut};

/// The residual block that a network repeats (figure 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockKind {
    /// Two 3x3 convolutions (figure 5, left).
    Basic,
    /// 1x1, 3x3 and 1x1 convolutions, the last with four times the channels (figure 5, right).
    Bottleneck,
}

impl BlockKind {
    /// Returns the output channels of a block per channel of its 3x3 convolution.
    pub const fn expansion(self) -> usize {
        match self {
            Self::Basic => 1,
            Self::Bottleneck => 4,
        }
    }
}

/// The convolution of a bottleneck that has the block's stride.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StrideOn {
    /// The first 1x1 convolution, as in the paper.
    Conv1x1,
    /// The 3x3 convolution, as in torchvision ("ResNet V1.5"): slightly more accurate and more
    /// expensive.
    Conv3x3,
}

/// A residual block: `relu(residual(x) + shortcut(x))`.
#[derive(Module, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a network has few blocks, and Burn does not implement Module for Box"
)]
pub enum Block {
    /// Two 3x3 convolutions.
    Basic(BasicBlock),
    /// 1x1, 3x3 and 1x1 convolutions.
    Bottleneck(Bottleneck),
}

impl Block {
    /// Maps `[batch, c_in, h, w]` to `[batch, c_out, ceil(h / stride), ceil(w / stride)]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Basic(block) => block.forward(x),
            Self::Bottleneck(block) => block.forward(x),
        }
    }
}

/// Two 3x3 convolutions and a shortcut (figure 5, left).
#[derive(Module, Debug)]
pub struct BasicBlock {
    /// 3x3 convolution with the block's stride.
    pub conv1: Conv2d,
    /// The norm of `conv1`; a ReLU follows.
    pub bn1: BatchNorm,
    /// 3x3 convolution.
    pub conv2: Conv2d,
    /// The norm of `conv2`; the addition follows.
    pub bn2: BatchNorm,
    /// The projection of the shortcut, if any.
    pub downsample: Option<Projection>,
}

impl BasicBlock {
    pub(crate) fn new(
        channels: [usize; 2],
        stride: usize,
        shortcut: Shortcut,
        device: &Device,
    ) -> Self {
        let [input, output] = channels;
        Self {
            conv1: conv([input, output], 3, stride, device),
            bn1: norm(output, device),
            conv2: conv([output, output], 3, 1, device),
            bn2: norm(output, device),
            downsample: shortcut.projection(channels, stride, device),
        }
    }

    /// Maps `[batch, c_in, h, w]` to `[batch, c_out, ceil(h / stride), ceil(w / stride)]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let residual = conv_norm(&self.conv1, Some(&self.bn1), Activation::Relu, x.clone());
        let residual = conv_norm(&self.conv2, Some(&self.bn2), Activation::Identity, residual);
        let channels = residual.dims()[1];
        let shortcut = shortcut::forward(&self.downsample, x, channels, self.conv1.stride[0]);
        add_relu(residual, shortcut)
    }
}

/// 1x1, 3x3 and 1x1 convolutions and a shortcut (figure 5, right).
#[derive(Module, Debug)]
pub struct Bottleneck {
    /// 1x1 convolution to a quarter of the output channels.
    pub conv1: Conv2d,
    /// The norm of `conv1`; a ReLU follows.
    pub bn1: BatchNorm,
    /// 3x3 convolution.
    pub conv2: Conv2d,
    /// The norm of `conv2`; a ReLU follows.
    pub bn2: BatchNorm,
    /// 1x1 convolution to the output channels.
    pub conv3: Conv2d,
    /// The norm of `conv3`; the addition follows.
    pub bn3: BatchNorm,
    /// The projection of the shortcut, if any.
    pub downsample: Option<Projection>,
}

impl Bottleneck {
    pub(crate) fn new(
        channels: [usize; 2],
        stride: usize,
        stride_on: StrideOn,
        shortcut: Shortcut,
        device: &Device,
    ) -> Self {
        let [input, output] = channels;
        let width = output / BlockKind::Bottleneck.expansion();
        let (stride1, stride2) = match stride_on {
            StrideOn::Conv1x1 => (stride, 1),
            StrideOn::Conv3x3 => (1, stride),
        };
        Self {
            conv1: conv([input, width], 1, stride1, device),
            bn1: norm(width, device),
            conv2: conv([width, width], 3, stride2, device),
            bn2: norm(width, device),
            conv3: conv([width, output], 1, 1, device),
            bn3: norm(output, device),
            downsample: shortcut.projection(channels, stride, device),
        }
    }

    /// Maps `[batch, c_in, h, w]` to `[batch, c_out, ceil(h / stride), ceil(w / stride)]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let residual = conv_norm(&self.conv1, Some(&self.bn1), Activation::Relu, x.clone());
        let residual = conv_norm(&self.conv2, Some(&self.bn2), Activation::Relu, residual);
        let residual = conv_norm(&self.conv3, Some(&self.bn3), Activation::Identity, residual);
        let channels = residual.dims()[1];
        let stride = self.conv1.stride[0] * self.conv2.stride[0];
        let shortcut = shortcut::forward(&self.downsample, x, channels, stride);
        add_relu(residual, shortcut)
    }
}
