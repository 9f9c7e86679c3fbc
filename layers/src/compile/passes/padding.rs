//! Zeros around maps.

use receptive_kernels::cpu::{Border, ConvSpec};

use crate::compile::net::{LayerOp, MapId, Net};
use crate::compile::weights::{Kernel, Weights};

/// Lets the convolutions that read a padded map pad it themselves. Where others read it too, the padding
/// is a convolution of one pixel whose weights are 1.
pub fn fold_padding(net: &mut Net) {
    for index in 0..net.layers.len() {
        let LayerOp::Pad(border) = net.layers[index].op else {
            continue;
        };
        let (input, output) = (net.layers[index].inputs[0], net.layers[index].output);
        let readers = net.readers(output);
        let all = readers
            .iter()
            .all(|&reader| matches!(net.layers[reader].op, LayerOp::Conv { .. }));
        if all && !net.outputs.contains(&output) {
            for reader in readers {
                pad(net, reader, border, input);
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
            weights: Weights::new(Kernel::Fill(1.0), None),
        };
    }
    net.drop_unread();
}

fn pad(net: &mut Net, reader: usize, by: Border, input: MapId) {
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
