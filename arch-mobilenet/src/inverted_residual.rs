//! MobileNetV2's block.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use receptive_layers::block::{Activation, ConvBlock, ConvBlockConfig};

/// An inverted residual with a linear bottleneck: widen, filter each channel, narrow without an
/// activation, and add the input where the shape is kept (MobileNetV2, Table 1 and figure 4 (d)).
#[derive(Module, Debug)]
pub struct InvertedResidual {
    /// 1x1, to `expansion` times the input's channels; none where that factor is 1.
    pub expand: Option<ConvBlock>,
    /// 3x3 on each channel by itself, with the block's stride.
    pub depthwise: ConvBlock,
    /// 1x1 to the output's channels, no activation.
    pub project: ConvBlock,
    /// Whether the input is added: at stride 1, where the channels are kept.
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

    /// `[batch, c_in, h, w]` to `[batch, c_out, ceil(h / stride), ceil(w / stride)]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let wide = match &self.expand {
            Some(expand) => expand.forward(x.clone()),
            None => x.clone(),
        };
        let narrow = self.project.forward(self.depthwise.forward(wide));
        if self.residual { x + narrow } else { narrow }
    }
}
