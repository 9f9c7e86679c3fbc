//! Folding of channel gathers: `conv(concat(slice(x), slice(x), ..))` → `conv'(x)` with zero
//! weights for the channels that the slices omit, as in the partial connections of LeNet-5 (table
//! I).
//!
//! The rule is valid because a channel with zero weights does not contribute to the sum. A channel
//! that is gathered twice gets the sum of both weights.

use super::slice::COPY_MACS;
use crate::compile::net::{LayerOp, MapId, Net, Slice};
use crate::compile::weights::{WeightSource, Weights};

/// Folds channel gathers into convolutions. A gather of consecutive channels from a multiple of
/// `lanes` on is a view and needs no copy, so such a gather is folded only if the work at most
/// doubles. Any other gather is folded if the products with zeros take no longer than a copy of the
/// gathered channels.
pub fn fold_channel_gather(net: &mut Net, lanes: usize) {
    for index in 0..net.layers.len() {
        let layer = &net.layers[index];
        let LayerOp::Conv { spec, .. } = &layer.op else {
            continue;
        };
        let Some((source, channels)) = gathered_channels(net, layer.inputs[0]) else {
            continue;
        };
        let all = net.shape(source)[0];
        let aligned = channels.first().is_some_and(|first| first % lanes == 0)
            && channels.is_sorted_by(|a, b| a + 1 == *b);
        let taps = spec.kernel[0] * spec.kernel[1];
        let zeros = all.saturating_sub(channels.len()) * taps * spec.channels_out;
        let slower = match aligned {
            true => 2 * channels.len() < all,
            false => all >= COPY_MACS && zeros > COPY_MACS * channels.len(),
        };
        if spec.groups > 1 || channels.is_empty() || slower {
            continue;
        }
        let layer = &mut net.layers[index];
        layer.inputs[0] = source;
        if let LayerOp::Conv { spec, weights } = &mut layer.op {
            spec.channels_in = all;
            let inner = std::mem::replace(weights, Weights::new(WeightSource::Fill(0.0), None));
            weights.source = WeightSource::ChannelGather {
                weights: Box::new(inner),
                channels,
            };
        }
    }
    net.remove_dead_layers();
}

/// Returns the map that `map` gathers its channels from, and the source channel of each channel of
/// `map`. `None` if `map` is no gather of whole channels of a single map.
fn gathered_channels(net: &Net, map: MapId) -> Option<(MapId, Vec<usize>)> {
    let layer = &net.layers[net.producer(map)?];
    match &layer.op {
        LayerOp::Slice(slice) => {
            let source = layer.inputs[0];
            let [_, height, width] = net.shape(source);
            let channels: Option<Vec<usize>> = slice.channels.iter().copied().collect();
            let [_, rows, columns] = net.shape(map);
            let all_pixels = Slice::keeps_all_pixels(slice, [height, width], [rows, columns]);
            channels
                .filter(|_| all_pixels)
                .map(|channels| (source, channels))
        }
        LayerOp::Concat => {
            let mut operands =
                (layer.inputs.iter()).map(|&operand| gathered_channels(net, operand));
            let (source, mut channels) = operands.next()??;
            for operand in operands {
                let (other, more) = operand?;
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
