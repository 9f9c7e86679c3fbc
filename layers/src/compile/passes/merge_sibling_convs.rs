//! Merging of sibling convolutions: `concat(conv_a(x), conv_b(x))` → `conv_ab(x)`, with the weights
//! of both concatenated along the output channels.
//!
//! The rule is valid because every output channel of a convolution depends on its own weights only.
//! The convolutions may differ in their weights and output channels only, and must have no groups,
//! no activation and no other reader.

use receptive_kernels::cpu::ConvSpec;

use crate::compile::net::{LayerOp, MapId, Net};
use crate::compile::weights::{Sibling, WeightSource, Weights};

/// Merges neighbouring operands of concatenations that are convolutions of the same map.
pub fn merge_sibling_convs(net: &mut Net) {
    for index in 0..net.layers.len() {
        if !matches!(net.layers[index].op, LayerOp::Concat) {
            continue;
        }
        let mut operands: Vec<MapId> = Vec::new();
        for operand in net.layers[index].inputs.clone() {
            let merged = operands
                .last()
                .is_some_and(|&last| merge(net, last, operand, index));
            if !merged {
                operands.push(operand);
            }
        }
        net.layers[index].inputs = operands;
        if let [operand] = net.layers[index].inputs[..] {
            let output = net.layers[index].output;
            net.replace(output, operand);
        }
    }
    net.remove_dead_layers();
}

/// Merges the convolutions of `first` and `second`, both operands of the concatenation `reader`,
/// into `first`, and returns whether that was possible.
fn merge(net: &mut Net, first: MapId, second: MapId, reader: usize) -> bool {
    let conv = |map| {
        let producer = net.sole_producer(map, reader)?;
        let layer = &net.layers[producer];
        match &layer.op {
            LayerOp::Conv { spec, weights } if layer.is_bare_conv() && spec.groups == 1 => {
                Some((producer, layer.inputs[0], *spec, weights.clone()))
            }
            _ => None,
        }
    };
    let (Some((a, x, spec, left)), Some((b, other, more, right))) = (conv(first), conv(second))
    else {
        return false;
    };
    let alike = ConvSpec {
        channels_out: spec.channels_out,
        ..more
    };
    if x != other || alike != spec {
        return false;
    }
    let [_, height, width] = net.shape(first);
    let channels_out = spec.channels_out + more.channels_out;
    net.maps[first.0] = [channels_out, height, width];
    // The earlier convolution computes all channels. The later convolution has no reader and is
    // removed.
    let name = common_module(&net.layers[a].name, &net.layers[b].name);
    let added = Sibling {
        weights: right,
        channels_out: more.channels_out,
    };
    let siblings = match left.source {
        WeightSource::Merged(mut siblings) if left.before.is_empty() && left.after.is_empty() => {
            siblings.push(added);
            siblings
        }
        _ => {
            let first = Sibling {
                weights: left,
                channels_out: spec.channels_out,
            };
            vec![first, added]
        }
    };
    let layer = &mut net.layers[a];
    layer.name = name;
    layer.op = LayerOp::Conv {
        spec: ConvSpec {
            channels_out,
            ..spec
        },
        weights: Weights::new(WeightSource::Merged(siblings), None),
    };
    true
}

/// Returns the path of the innermost module that holds the layers `a` and `b`, or `a` if there is
/// none.
fn common_module(a: &str, b: &str) -> String {
    let same = a.split('.').zip(b.split('.')).take_while(|(a, b)| a == b);
    let names: Vec<&str> = same.map(|(name, _)| name).collect();
    if names.is_empty() {
        a.to_owned()
    } else {
        names.join(".")
    }
}
