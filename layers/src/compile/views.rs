//! Maps that are views of other maps and need no memory: slices, and the operands of concatenations
//! that are computed in place.

use super::net::{LayerOp, MapId, Net};

/// The position of a map inside a larger map.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    /// The larger map.
    pub base: MapId,
    /// First channel in the larger map.
    pub channel: usize,
    /// First row and column in the larger map.
    pub start: [usize; 2],
}

/// Returns the view of every map of `net`, or `None` for a map with memory of its own.
///
/// A slice is a view of its input. An operand of a concatenation is a view of the output if the
/// operand starts at a multiple of `lanes` channels, is no view already, and is not also copied to
/// channels within a block, as in a concatenation of a map with itself: the copy would write a
/// block that it reads.
pub(super) fn views(net: &Net, lanes: usize) -> Vec<Option<View>> {
    let mut views: Vec<Option<View>> = vec![None; net.maps.len()];
    for layer in &net.layers {
        if let LayerOp::Slice(slice) = &layer.op {
            views[layer.output.0] = Some(View {
                base: layer.inputs[0],
                channel: slice.first_of_run().unwrap_or(0),
                start: slice.start,
            });
        }
    }
    for layer in &net.layers {
        if !matches!(layer.op, LayerOp::Concat) {
            continue;
        }
        let mut next_channel = 0;
        let operands: Vec<(MapId, usize)> = (layer.inputs.iter())
            .map(|&operand| {
                let channel = next_channel;
                next_channel += net.shape(operand)[0];
                (operand, channel)
            })
            .collect();
        for &(operand, channel) in &operands {
            let copied_within_a_block = operands
                .iter()
                .any(|&(other, first)| first % lanes != 0 && is_view_of(&views, other, operand));
            if channel % lanes == 0 && views[operand.0].is_none() && !copied_within_a_block {
                views[operand.0] = Some(View {
                    base: layer.output,
                    channel,
                    start: [0, 0],
                });
            }
        }
    }
    views
}

/// Whether `map` is `base`, or a view of it, directly or through other views.
fn is_view_of(views: &[Option<View>], mut map: MapId, base: MapId) -> bool {
    while map != base {
        match views[map.0] {
            Some(view) => map = view.base,
            None => return false,
        }
    }
    true
}

/// Returns the map with memory of its own that holds `map`.
pub(super) fn root(views: &[Option<View>], mut map: MapId) -> MapId {
    while let Some(view) = views[map.0] {
        map = view.base;
    }
    map
}
