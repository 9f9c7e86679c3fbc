//! Fusion of activations: `activation(op(x))` → `op` with a fused activation, and
//! `activation(max_pool(op(x)))` → `max_pool` of `op` with a fused activation.
//!
//! The rules are valid if no other layer reads the intermediate maps. The second rule is valid for
//! activations that are monotonically non-decreasing, which commute with the maximum of a pool.

use receptive_kernels::cpu::Activation;

use crate::compile::net::{LayerOp, Net};

/// Fuses activations into the convolution or element-wise arithmetic that computes their argument.
pub fn fuse_activations(net: &mut Net) {
    let mut index = 0;
    while index < net.layers.len() {
        if fuse(net, index) {
            let layer = net.layers.remove(index);
            net.replace(layer.output, layer.inputs[0]);
        } else {
            index += 1;
        }
    }
}

/// Fuses the activation at `index` into an earlier layer, and returns whether a layer was suitable.
fn fuse(net: &mut Net, index: usize) -> bool {
    let layer = &net.layers[index];
    if !matches!(layer.op, LayerOp::Activation) {
        return false;
    }
    let activation = layer.activation;
    let Some(mut before) = net.sole_producer(layer.inputs[0], index) else {
        return false;
    };
    while let LayerOp::MaxPool(_) = net.layers[before].op
        && activation.is_monotone()
    {
        match net.sole_producer(net.layers[before].inputs[0], before) {
            Some(producer) => before = producer,
            None => return false,
        }
    }
    let layer = &mut net.layers[before];
    let fits = matches!(layer.op, LayerOp::Conv { .. } | LayerOp::Binary(_))
        && layer.activation == Activation::Identity;
    if fits {
        layer.activation = activation;
    }
    fits
}
