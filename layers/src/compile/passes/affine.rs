//! Batch norms, coefficients and numbers that scale and shift channels.

use receptive_kernels::cpu::{Border, ConvSpec};

use crate::compile::net::{LayerOp, Net, Window};
use crate::compile::weights::{Affine, Kernel, Weights};

/// Folds every factor and summand into the convolution before it, or into the convolutions after it; a
/// mean pool before one becomes a convolution.
pub fn fold_affine(net: &mut Net) {
    let mut index = 0;
    while index < net.layers.len() {
        if fold_back(net, index) || fold_forth(net, index) {
            net.layers.remove(index);
            // An affine function after this one may now have a convolution before it.
            index = 0;
        } else {
            index += 1;
        }
    }
}

/// Makes convolutions of one pixel of what could be folded into nothing.
pub fn lower_affine(net: &mut Net) {
    for layer in &mut net.layers {
        if let LayerOp::Affine(affine) = &mut layer.op {
            let channels = net.maps[layer.output.0][0];
            let spec = ConvSpec {
                channels_in: channels,
                channels_out: channels,
                kernel: [1, 1],
                stride: [1, 1],
                padding: Border::default(),
                dilation: [1, 1],
                groups: channels,
            };
            let mut weights = Weights::new(Kernel::Fill(1.0), None);
            weights.after = std::mem::take(affine);
            layer.op = LayerOp::Conv { spec, weights };
        }
    }
}

/// Whether the layer at `index` was folded into the one before it.
fn fold_back(net: &mut Net, index: usize) -> bool {
    let layer = &net.layers[index];
    let LayerOp::Affine(affine) = &layer.op else {
        return false;
    };
    let (affine, output) = (affine.clone(), layer.output);
    let Some(before) = net.sole_producer(layer.inputs[0], index) else {
        return false;
    };
    let [_, height, width] = net.shape(net.layers[before].inputs[0]);
    let shape = net.shape(output);
    let bare = net.layers[before].is_bare_conv();
    let layer = &mut net.layers[before];
    match &mut layer.op {
        LayerOp::Conv { weights, .. } if bare => weights.after.extend(affine),
        LayerOp::Affine(first) => first.extend(affine),
        LayerOp::MeanPool {
            window,
            count_include_pad,
        } => {
            let Some(op) = mean_as_conv(*window, *count_include_pad, [height, width], shape) else {
                return false;
            };
            layer.op = op;
            if let LayerOp::Conv { weights, .. } = &mut layer.op {
                weights.after = affine;
            }
        }
        _ => return false,
    }
    layer.output = output;
    true
}

/// A depthwise convolution that computes the mean of each window, where all means are of as many elements.
fn mean_as_conv(
    window: Window,
    count_include_pad: bool,
    size: [usize; 2],
    [channels, rows, columns]: [usize; 3],
) -> Option<LayerOp> {
    let [y, x] = window.padding;
    let spec = ConvSpec {
        channels_in: channels,
        channels_out: channels,
        kernel: window.kernel,
        stride: window.stride,
        padding: Border {
            top: y,
            bottom: y,
            left: x,
            right: x,
        },
        dilation: window.dilation,
        groups: channels,
    };
    let exact = spec.output(size) == [rows, columns];
    let even = count_include_pad || window.padding == [0, 0];
    let share = 1.0 / (window.kernel[0] * window.kernel[1]) as f64;
    (exact && even).then(|| LayerOp::Conv {
        spec,
        weights: Weights::new(Kernel::Fill(share), None),
    })
}

/// Whether the layer at `index` was folded into the convolutions after it.
fn fold_forth(net: &mut Net, index: usize) -> bool {
    let layer = &net.layers[index];
    let LayerOp::Affine(affine) = &layer.op else {
        return false;
    };
    let (input, output) = (layer.inputs[0], layer.output);
    let affine = affine.clone();
    let readers = net.readers(output);
    // Padding is 0 after the function, not before it.
    let shifts = !affine.iter().all(Affine::keeps_zero);
    let fits = |&reader: &usize| match &net.layers[reader].op {
        LayerOp::Conv { spec, .. } => spec.padding.is_empty() || !shifts,
        _ => false,
    };
    if readers.is_empty() || net.outputs.contains(&output) || !readers.iter().all(fits) {
        return false;
    }
    for reader in readers {
        let layer = &mut net.layers[reader];
        layer.inputs[0] = input;
        if let LayerOp::Conv { weights, .. } = &mut layer.op {
            weights.before.splice(0..0, affine.iter().cloned());
        }
    }
    true
}
