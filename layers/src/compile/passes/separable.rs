//! A depthwise convolution and the pointwise one after it.

use crate::compile::net::{LayerOp, Net, Stage};

/// Makes one layer of a depthwise convolution and the pointwise convolution that alone reads it, unless one
/// of them is among those that must stay, by name.
pub fn fuse_separable(net: &mut Net, stays: impl Fn(&str) -> bool) {
    let mut index = 0;
    while index < net.layers.len() {
        if let Some(first) = depthwise_before(net, index)
            && !stays(&net.layers[first].name)
            && !stays(&net.layers[index].name)
        {
            fuse(net, first, index);
            // The layer is one place earlier now.
        } else {
            index += 1;
        }
    }
}

/// The depthwise convolution that the pointwise convolution at `index` alone reads.
fn depthwise_before(net: &Net, index: usize) -> Option<usize> {
    let layer = &net.layers[index];
    let LayerOp::Conv { spec, .. } = &layer.op else {
        return None;
    };
    let pointwise = spec.kernel == [1, 1]
        && spec.stride == [1, 1]
        && spec.groups == 1
        && spec.padding.is_empty();
    let first = net.sole_producer(layer.inputs[0], index)?;
    let before = &net.layers[first];
    let depthwise = matches!(&before.op, LayerOp::Conv { spec, .. } if spec.is_depthwise());
    (pointwise && depthwise && before.residual.is_none()).then_some(first)
}

fn fuse(net: &mut Net, first: usize, index: usize) {
    let before = net.layers.remove(first);
    let layer = &mut net.layers[index - 1];
    let LayerOp::Conv { spec, weights } = before.op else {
        unreachable!("a convolution");
    };
    let first = Box::new(Stage {
        spec,
        weights,
        activation: before.activation,
    });
    layer.inputs = before.inputs;
    if let LayerOp::Conv { spec, weights } = &layer.op {
        layer.op = LayerOp::Separable {
            first,
            spec: *spec,
            weights: weights.clone(),
        };
    }
}
