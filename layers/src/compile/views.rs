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
/// operand starts at a multiple of `lanes` channels and is no view already.
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
        let mut channel = 0;
        for operand in &layer.inputs {
            if channel % lanes == 0 && views[operand.0].is_none() {
                views[operand.0] = Some(View {
                    base: layer.output,
                    channel,
                    start: [0, 0],
                });
            }
            channel += net.shape(*operand)[0];
        }
    }
    views
}

/// Returns the map with memory of its own that holds `map`.
pub(super) fn root(views: &[Option<View>], mut map: MapId) -> MapId {
    while let Some(view) = views[map.0] {
        map = view.base;
    }
    map
}
