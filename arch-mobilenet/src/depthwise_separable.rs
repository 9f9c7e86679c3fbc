//! The block of MobileNet v1.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use receptive_layers::block::{Activation, ConvBlock, ConvBlockConfig};

/// A depthwise separable convolution: a depthwise and a pointwise convolution, each with batch norm
/// and activation (MobileNets, section 3.1 and figure 3, right).
#[derive(Module, Debug)]
pub struct DepthwiseSeparable {
    /// 3x3 depthwise convolution with the block's stride.
    pub depthwise: ConvBlock,
    /// 1x1 convolution across the channels.
    pub pointwise: ConvBlock,
}

impl DepthwiseSeparable {
    pub(crate) fn new(
        channels: [usize; 2],
        stride: usize,
        activation: Activation,
        device: &Device,
    ) -> Self {
        let [input, _] = channels;
        Self {
            depthwise: ConvBlockConfig {
                stride,
                groups: input,
                activation,
                ..ConvBlockConfig::new([input, input], 3)
            }
            .init(device),
            pointwise: ConvBlockConfig {
                activation,
                ..ConvBlockConfig::new(channels, 1)
            }
            .init(device),
        }
    }

    /// Maps `[batch, c_in, h, w]` to `[batch, c_out, ceil(h / stride), ceil(w / stride)]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.pointwise.forward(self.depthwise.forward(x))
    }
}
