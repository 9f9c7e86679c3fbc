//! Fusion of depthwise separable convolutions: `pointwise(depthwise(x))` → one layer that computes
//! both.
//!
//! The rule is valid if only the pointwise convolution reads the result of the depthwise
//! convolution. The intermediate map is then never stored.

use crate::compile::net::{DepthwiseConv, LayerOp, Net};

/// Fuses each depthwise convolution with the pointwise convolution that reads it, unless
/// `is_pinned` holds for the name of one of them.
pub fn fuse_separable(net: &mut Net, is_pinned: impl Fn(&str) -> bool) {
    let mut index = 0;
    while index < net.layers.len() {
        if let Some(first) = depthwise_before(net, index)
            && !is_pinned(&net.layers[first].name)
            && !is_pinned(&net.layers[index].name)
        {
            fuse(net, first, index);
            // The fused layer has the index `index - 1`, so `index` is the next layer.
        } else {
            index += 1;
        }
    }
}

/// Returns the depthwise convolution before the pointwise convolution at `index`, if no other layer
/// reads its result.
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

/// Fuses the depthwise convolution `first` into the pointwise convolution at `index`.
fn fuse(net: &mut Net, first: usize, index: usize) {
    let before = net.layers.remove(first);
    let layer = &mut net.layers[index - 1];
    let LayerOp::Conv { spec, weights } = before.op else {
        unreachable!("the first layer is a convolution");
    };
    let first = Box::new(DepthwiseConv {
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
