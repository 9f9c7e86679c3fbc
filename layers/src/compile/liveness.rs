//! Liveness analysis: the first and last step that access the memory of every map.

use std::ops::Range;

use super::net::{MapId, Net};
use super::views::{root, views};

/// Returns the first and last step that access each map or a view of it, both inclusive. `None` is
/// a view, or a map that no step accesses.
///
/// Step 0 is the import, step `n` the layer `n - 1`, and the last step the export. Steps of one
/// level may run concurrently, so an access by one of them counts for all of them.
pub(super) fn live_ranges(net: &Net, lanes: usize) -> Vec<Option<(usize, usize)>> {
    let views = views(net, lanes);
    let concurrent = concurrent_steps(net);
    let mut ranges = vec![None; net.maps.len()];
    let mut access = |map: MapId, step: usize| {
        let (start, end) = (concurrent[step].start, concurrent[step].end - 1);
        let (first, last) = ranges[root(&views, map).0].get_or_insert((start, end));
        (*first, *last) = (start.min(*first), end.max(*last));
    };
    access(net.input, 0);
    for (index, layer) in net.layers.iter().enumerate() {
        for map in layer.reads().chain([layer.output]) {
            access(map, index + 1);
        }
    }
    for &output in &net.outputs {
        access(output, net.layers.len() + 1);
    }
    ranges
}

/// Returns, for each step, the range of consecutive steps of the same level, which are independent
/// of each other. The import and the export are levels of their own.
fn concurrent_steps(net: &Net) -> Vec<Range<usize>> {
    let levels = net.levels();
    let lens = levels.chunk_by(|a, b| a == b).map(<[usize]>::len);
    let lens = std::iter::once(1).chain(lens).chain(std::iter::once(1));
    let mut concurrent = Vec::new();
    for len in lens {
        let first = concurrent.len();
        concurrent.extend(std::iter::repeat_n(first..first + len, len));
    }
    concurrent
}
