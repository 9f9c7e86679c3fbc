//! Convolutions of one map whose outputs are concatenated.

use receptive_kernels::cpu::ConvSpec;

use crate::compile::net::{LayerOp, MapId, Net};
use crate::compile::weights::{Kernel, Stacked, Weights};

/// Makes neighbouring parts of a concatenation one convolution, where they are convolutions of the same
/// map that differ in their weights alone.
pub fn stack(net: &mut Net) {
    for index in 0..net.layers.len() {
        if !matches!(net.layers[index].op, LayerOp::Concat) {
            continue;
        }
        let mut parts: Vec<MapId> = Vec::new();
        for part in net.layers[index].inputs.clone() {
            let joined = parts
                .last()
                .is_some_and(|&last| join(net, last, part, index));
            if !joined {
                parts.push(part);
            }
        }
        net.layers[index].inputs = parts;
        if let [part] = net.layers[index].inputs[..] {
            let output = net.layers[index].output;
            net.replace(output, part);
        }
    }
    net.drop_unread();
}

/// Adds the channels of `second` to those of `first`, both parts of the layer `reader`.
fn join(net: &mut Net, first: MapId, second: MapId, reader: usize) -> bool {
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
    // The later layer goes; what it computed is read later still.
    let name = prefix(&net.layers[a].name, &net.layers[b].name);
    let added = Stacked {
        weights: right,
        channels_out: more.channels_out,
    };
    let stacked = match left.kernel {
        Kernel::Stacked(mut parts) if left.before.is_empty() && left.after.is_empty() => {
            parts.push(added);
            parts
        }
        _ => {
            let first = Stacked {
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
        weights: Weights::new(Kernel::Stacked(stacked), None),
    };
    true
}

/// The module that two layers are in, or the first if that is the network.
fn prefix(a: &str, b: &str) -> String {
    let same = a.split('.').zip(b.split('.')).take_while(|(a, b)| a == b);
    let names: Vec<&str> = same.map(|(name, _)| name).collect();
    if names.is_empty() {
        a.to_owned()
    } else {
        names.join(".")
    }
}
