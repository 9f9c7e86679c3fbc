//! Level scheduling: sorts the layers by level, so that independent layers are adjacent and threads
//! synchronize between levels only.
//!
//! The sort is a valid topological order, because a layer that is a step has a higher level than
//! the layers that it reads, and the sort is stable for slices and concatenations.

use crate::compile::net::Net;

/// Sorts the layers by [`Net::levels`]. Every layer runs as early as possible.
pub fn schedule_levels(net: &mut Net) {
    let levels = net.levels();
    let mut layers: Vec<_> = levels.into_iter().zip(net.layers.drain(..)).collect();
    layers.sort_by_key(|&(level, _)| level);
    net.layers = layers.into_iter().map(|(_, layer)| layer).collect();
}
