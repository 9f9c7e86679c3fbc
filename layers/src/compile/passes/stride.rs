//! Pointwise convolutions that skip pixels, as shortcuts of residual blocks are.

use receptive_kernels::cpu::{Activation, ConvSpec};

use crate::compile::net::{LayerOp, Net, Stage};
use crate::compile::weights::{Kernel, Weights};

/// Lets a strided pointwise convolution first gather the pixels that it sees, unless it is among those
/// that must stay, by name: a depthwise convolution with a weight of 1, then an ordinary pointwise one. Tiles of
/// pixels then go on from row to row, and read nothing in vain. The network's input has too few channels for it.
pub fn gather_strided(net: &mut Net, stays: impl Fn(&str) -> bool) {
    let input = net.input;
    for layer in &mut net.layers {
        let LayerOp::Conv { spec, weights } = &layer.op else {
            continue;
        };
        let skips = spec.kernel == [1, 1]
            && spec.stride != [1, 1]
            && spec.groups == 1
            && spec.channels_in > 1
            && spec.padding.is_empty();
        if !skips || layer.inputs[0] == input || stays(&layer.name) {
            continue;
        }
        let gathered = ConvSpec {
            channels_out: spec.channels_in,
            groups: spec.channels_in,
            ..*spec
        };
        layer.op = LayerOp::Separable {
            first: Box::new(Stage {
                spec: gathered,
                weights: Weights::new(Kernel::Fill(1.0), None),
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
