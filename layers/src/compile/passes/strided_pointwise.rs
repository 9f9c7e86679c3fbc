//! Splitting of strided pointwise convolutions, as in the shortcuts of residual blocks:
//! `conv_1x1(x)` with a stride → `conv_1x1(gather(x))`, where `gather` copies the pixels that the
//! convolution reads.
//!
//! The rule is valid because a strided 1x1 convolution reads every `stride`-th pixel only. The
//! second convolution has stride 1, so its register tiles extend over row ends and load no skipped
//! pixels.

use receptive_kernels::cpu::{Activation, ConvSpec};

use crate::compile::net::{DepthwiseConv, LayerOp, Net};
use crate::compile::weights::{WeightSource, Weights};

/// Replaces strided pointwise convolutions by a strided 1x1 depthwise convolution with weights 1,
/// fused with a pointwise convolution of stride 1, unless `is_pinned` holds for the name.
/// Convolutions of the network's input stay, because the input has few channels.
pub fn split_strided_pointwise(net: &mut Net, is_pinned: impl Fn(&str) -> bool) {
    let input = net.input;
    for layer in &mut net.layers {
        let LayerOp::Conv { spec, weights } = &layer.op else {
            continue;
        };
        let skips_pixels = spec.kernel == [1, 1]
            && spec.stride != [1, 1]
            && spec.groups == 1
            && spec.channels_in > 1
            && spec.padding.is_empty();
        if !skips_pixels || layer.inputs[0] == input || is_pinned(&layer.name) {
            continue;
        }
        let gather = ConvSpec {
            channels_out: spec.channels_in,
            groups: spec.channels_in,
            ..*spec
        };
        layer.op = LayerOp::Separable {
            first: Box::new(DepthwiseConv {
                spec: gather,
                weights: Weights::new(WeightSource::Fill(1.0), None),
                activation: Activation::Identity,
            }),
            spec: ConvSpec {
                stride: [1, 1],
                ..*spec
            },
            weights: weights.clone(),
        };
    }
}
