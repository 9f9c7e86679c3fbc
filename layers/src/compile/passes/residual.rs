//! Fusion of residual sums: `activation(conv(x) + y)` → one convolution that adds `y` to its result
//! before the activation.
//!
//! The rule is valid if only the sum reads the result of the convolution, and the convolution has
//! no activation and no residual of its own.

use receptive_kernels::cpu::{Activation, BinaryOp};

use crate::compile::net::{LayerOp, Net};

/// Fuses sums into a convolution that computes one of the operands. The operand that is computed
/// later is preferred. The convolution of the earlier operand has to move behind the later operand.
pub fn fuse_residuals(net: &mut Net) {
    let mut index = 0;
    while index < net.layers.len() {
        if !fuse(net, index) {
            index += 1;
        }
    }
}

/// Fuses the sum at `index` into a convolution, and returns whether one was suitable.
fn fuse(net: &mut Net, index: usize) -> bool {
    let layer = &net.layers[index];
    let (LayerOp::Binary(BinaryOp::Add), &[a, b]) = (&layer.op, &layer.inputs[..]) else {
        return false;
    };
    if a == b || net.shape(a) != net.shape(b) {
        return false;
    }
    let mut operands = [a, b].map(|map| (net.producer(map), map));
    operands.sort_unstable();
    let [earlier, later] = operands;
    let suitable = |producer: Option<usize>, map| {
        let producer = net
            .sole_producer(map, index)
            .filter(|&p| Some(p) == producer)?;
        let layer = &net.layers[producer];
        let bare = layer.residual.is_none() && layer.activation == Activation::Identity;
        (bare && matches!(layer.op, LayerOp::Conv { .. })).then_some(producer)
    };
    let (conv, residual, moves) = match (suitable(later.0, later.1), suitable(earlier.0, earlier.1))
    {
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
        // Removing the convolution shifts the index of the sum down by one.
        let layer = net.layers.remove(conv);
        net.layers.insert(index - 1, layer);
    }
    true
}
