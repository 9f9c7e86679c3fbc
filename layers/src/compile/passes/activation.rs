//! Activations.

use receptive_kernels::cpu::Activation;

use crate::compile::net::{LayerOp, Net};

/// Lets the layer that computes a map apply the activation that follows. One that follows a max pool is
/// applied before it: all activations rise where their argument does.
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

fn fuse(net: &mut Net, index: usize) -> bool {
    let layer = &net.layers[index];
    if !matches!(layer.op, LayerOp::Activation) {
        return false;
    }
    let activation = layer.activation;
    let Some(mut before) = net.sole_producer(layer.inputs[0], index) else {
        return false;
    };
    while let LayerOp::MaxPool(_) = net.layers[before].op {
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
