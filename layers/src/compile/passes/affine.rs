//! Folding of batch norms, scales and shifts: `affine(conv(x))` → `conv'(x)`, and `conv(affine(x))`
//! → `conv''(x)` with adapted weights and bias.
//!
//! Both rules are valid because a convolution is linear and an affine function acts per channel.
//! The second rule requires a convolution without padding or an affine function without a shift:
//! padding adds zeros after the affine function, so the affine function must map 0 to 0.

use receptive_kernels::cpu::{Border, ConvSpec, PoolWindow};

use crate::compile::net::{LayerOp, Net};
use crate::compile::weights::{Affine, WeightSource, Weights};

/// Folds affine functions into the preceding convolution, or into all following convolutions. A
/// mean pool before an affine function becomes a depthwise convolution, if all windows average
/// equally many elements.
pub fn fold_affine(net: &mut Net) {
    let mut index = 0;
    while index < net.layers.len() {
        if fold_into_producer(net, index) || fold_into_readers(net, index) {
            net.layers.remove(index);
            // A later affine function may now follow a convolution.
            index = 0;
        } else {
            index += 1;
        }
    }
}

/// Replaces the remaining affine functions by 1x1 depthwise convolutions.
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
            let mut weights = Weights::new(WeightSource::Fill(1.0), None);
            weights.after = std::mem::take(affine);
            layer.op = LayerOp::Conv { spec, weights };
        }
    }
}

/// Folds the affine function at `index` into the layer that computes its argument, and returns
/// whether that was possible.
fn fold_into_producer(net: &mut Net, index: usize) -> bool {
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

/// Returns the depthwise convolution that computes a mean pool, or `None` if the windows at the
/// edges average fewer elements than the others.
fn mean_as_conv(
    window: PoolWindow,
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
    let ends_at_edge = spec.output(size) == [rows, columns];
    let equal_divisors = count_include_pad || window.padding == [0, 0];
    let weight = 1.0 / (window.kernel[0] * window.kernel[1]) as f64;
    (ends_at_edge && equal_divisors).then(|| LayerOp::Conv {
        spec,
        weights: Weights::new(WeightSource::Fill(weight), None),
    })
}

/// Folds the affine function at `index` into all layers that read its result, and returns whether
/// that was possible.
fn fold_into_readers(net: &mut Net, index: usize) -> bool {
    let layer = &net.layers[index];
    let LayerOp::Affine(affine) = &layer.op else {
        return false;
    };
    let (input, output) = (layer.inputs[0], layer.output);
    let affine = affine.clone();
    let readers = net.readers(output);
    // Padding adds zeros to the result of the affine function, not to its argument.
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
