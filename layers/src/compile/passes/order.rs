//! Layers that do not depend on each other.

use crate::compile::net::Net;

/// Puts layers that can be computed at once next to each other: threads wait for each other between the steps of a chain,
/// but not between its branches. Each layer comes as early as it can.
pub fn order(net: &mut Net) {
    let levels = net.levels();
    let mut layers: Vec<_> = levels.into_iter().zip(net.layers.drain(..)).collect();
    layers.sort_by_key(|&(level, _)| level);
    net.layers = layers.into_iter().map(|(_, layer)| layer).collect();
}
