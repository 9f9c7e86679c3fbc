//! Folding of zero padding: `conv(pad(x))` → `conv'(x)` with a larger padding.
//!
//! The rule is valid because a convolution pads with zeros too, if only convolutions read the
//! padded map.

use receptive_kernels::cpu::{Border, ConvSpec};

use crate::compile::net::{LayerOp, MapId, Net};
use crate::compile::weights::{WeightSource, Weights};

/// Folds zero padding into the convolutions that read the padded map. Padding with other readers
/// becomes a padded 1x1 depthwise convolution with weights 1.
pub fn fold_padding(net: &mut Net) {
    for index in 0..net.layers.len() {
        let LayerOp::Pad(border) = net.layers[index].op else {
            continue;
        };
        let (input, output) = (net.layers[index].inputs[0], net.layers[index].output);
        let readers = net.readers(output);
        let only_convs = readers
            .iter()
            .all(|&reader| matches!(net.layers[reader].op, LayerOp::Conv { .. }));
        if only_convs && !net.outputs.contains(&output) {
            for reader in readers {
                add_padding(net, reader, border, input);
            }
            continue;
        }
        let channels = net.shape(input)[0];
        net.layers[index].op = LayerOp::Conv {
            spec: ConvSpec {
                channels_in: channels,
                channels_out: channels,
                kernel: [1, 1],
                stride: [1, 1],
                padding: border,
                dilation: [1, 1],
                groups: channels,
            },
            weights: Weights::new(WeightSource::Fill(1.0), None),
        };
    }
    net.remove_dead_layers();
}

/// Makes the convolution `reader` read `input` with the additional padding `by`.
fn add_padding(net: &mut Net, reader: usize, by: Border, input: MapId) {
    let layer = &mut net.layers[reader];
    layer.inputs[0] = input;
    if let LayerOp::Conv { spec, .. } = &mut layer.op {
        let own = spec.padding;
        spec.padding = Border {
            top: own.top + by.top,
            bottom: own.bottom + by.bottom,
            left: own.left + by.left,
            right: own.right + by.right,
        };
    }
}
