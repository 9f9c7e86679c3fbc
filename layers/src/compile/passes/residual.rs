//! Sums of two maps.

use receptive_kernels::cpu::Activation;

use crate::compile::net::{LayerOp, Net};
use crate::graph::Arithmetic;

/// Lets the convolution that computes one operand of a sum add the other: the one that comes later, or
/// else the earlier one, then computed in the sum's place.
pub fn fuse_residuals(net: &mut Net) {
    let mut index = 0;
    while index < net.layers.len() {
        if !fuse(net, index) {
            index += 1;
        }
    }
}

/// Whether the sum at `index` is gone.
fn fuse(net: &mut Net, index: usize) -> bool {
    let layer = &net.layers[index];
    let (LayerOp::Binary(Arithmetic::Add), &[a, b]) = (&layer.op, &layer.inputs[..]) else {
        return false;
    };
    if a == b {
        return false;
    }
    let mut operands = [a, b].map(|map| (net.producer(map), map));
    operands.sort_unstable();
    let [earlier, later] = operands;
    let fits = |producer: Option<usize>, map| {
        let producer = net
            .sole_producer(map, index)
            .filter(|&p| Some(p) == producer)?;
        let layer = &net.layers[producer];
        let bare = layer.residual.is_none() && layer.activation == Activation::Identity;
        (bare && matches!(layer.op, LayerOp::Conv { .. })).then_some(producer)
    };
    let (conv, residual, moves) = match (fits(later.0, later.1), fits(earlier.0, earlier.1)) {
        (Some(conv), _) => (conv, earlier.1, false),
        (None, Some(conv)) => (conv, later.1, true),
        (None, None) => return false,
    };
    let sum = net.layers.remove(index);
    let layer = &mut net.layers[conv];
    layer.residual = Some(residual);
    layer.activation = sum.activation;
    layer.output = sum.output;
    if moves {
        // The places between shift down by one: the sum's own is one less too.
        let layer = net.layers.remove(conv);
        net.layers.insert(index - 1, layer);
    }
    true
}
