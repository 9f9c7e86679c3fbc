//! The block of MobileNetV2.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use receptive_layers::block::{Activation, ConvBlock, ConvBlockConfig};

/// An inverted residual with a linear bottleneck: a 1x1 convolution that expands the channels, a
/// 3x3 depthwise convolution, and a 1x1 convolution without activation that projects to fewer
/// channels. The input is added if the output has its shape (MobileNetV2, Table 1 and figure 4
/// (d)).
#[derive(Module, Debug)]
pub struct InvertedResidual {
    /// 1x1 convolution to `expansion` times the input channels; `None` if the factor is 1.
    pub expand: Option<ConvBlock>,
    /// 3x3 depthwise convolution with the block's stride.
    pub depthwise: ConvBlock,
    /// 1x1 convolution to the output channels, without activation.
    pub project: ConvBlock,
    /// Whether the input is added: at stride 1 with as many output as input channels.
    pub residual: bool,
}

impl InvertedResidual {
    pub(crate) fn new(
        channels: [usize; 2],
        expansion: usize,
        stride: usize,
        device: &Device,
    ) -> Self {
        let [input, output] = channels;
        let width = input * expansion;
        let relu6 = |channels, kernel| ConvBlockConfig {
            activation: Activation::Relu6,
            ..ConvBlockConfig::new(channels, kernel)
        };
        Self {
            expand: (expansion != 1).then(|| relu6([input, width], 1).init(device)),
            depthwise: ConvBlockConfig {
                stride,
                groups: width,
                ..relu6([width, width], 3)
            }
            .init(device),
            project: ConvBlockConfig {
                activation: Activation::Identity,
                ..ConvBlockConfig::new([width, output], 1)
            }
            .init(device),
            residual: stride == 1 && input == output,
        }
    }

    /// Maps `[batch, c_in, h, w]` to `[batch, c_out, ceil(h / stride), ceil(w / stride)]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let wide = match &self.expand {
            Some(expand) => expand.forward(x.clone()),
            None => x.clone(),
        };
        let narrow = self.project.forward(self.depthwise.forward(wide));
        if self.residual { x + narrow } else { narrow }
    }
}
