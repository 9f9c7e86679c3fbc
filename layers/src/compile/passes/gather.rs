//! Convolutions of some of a map's channels, as the partial connections of LeNet-5 are written.

use crate::compile::net::{LayerOp, MapId, Net, Pick};
use crate::compile::weights::{Kernel, Weights};

/// Lets a convolution of picked channels read the whole map, with weights of 0 for the channels that it
/// does not see, where that is not more than twice the work or picking them means copying.
pub fn gather(net: &mut Net, lanes: usize) {
    for index in 0..net.layers.len() {
        let layer = &net.layers[index];
        let LayerOp::Conv { spec, .. } = &layer.op else {
            continue;
        };
        let Some((source, channels)) = picked(net, layer.inputs[0]) else {
            continue;
        };
        let all = net.shape(source)[0];
        let aligned = channels.first().is_some_and(|first| first % lanes == 0)
            && channels.is_sorted_by(|a, b| a + 1 == *b);
        if spec.groups > 1 || channels.is_empty() || (aligned && 2 * channels.len() < all) {
            continue;
        }
        let layer = &mut net.layers[index];
        layer.inputs[0] = source;
        if let LayerOp::Conv { spec, weights } = &mut layer.op {
            spec.channels_in = all;
            let inner = std::mem::replace(weights, Weights::new(Kernel::Fill(0.0), None));
            weights.kernel = Kernel::Gathered {
                weights: Box::new(inner),
                channels,
            };
        }
    }
    net.drop_unread();
}

/// The map that all channels of `map` are picked from, and which they are.
fn picked(net: &Net, map: MapId) -> Option<(MapId, Vec<usize>)> {
    let layer = &net.layers[net.producer(map)?];
    match &layer.op {
        LayerOp::Pick(pick) => {
            let source = layer.inputs[0];
            let [_, height, width] = net.shape(source);
            let channels: Option<Vec<usize>> = pick.channels.iter().copied().collect();
            let [_, rows, columns] = net.shape(map);
            let whole = Pick::is_whole(pick, [height, width], [rows, columns]);
            channels
                .filter(|_| whole)
                .map(|channels| (source, channels))
        }
        LayerOp::Concat => {
            let mut parts = layer.inputs.iter().map(|&part| picked(net, part));
            let (source, mut channels) = parts.next()??;
            for part in parts {
                let (other, more) = part?;
                if other != source {
                    return None;
                }
                channels.extend(more);
            }
            Some((source, channels))
        }
        _ => None,
    }
}
