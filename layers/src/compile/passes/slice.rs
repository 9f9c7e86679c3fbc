//! Composition and lowering of slices: `slice(slice(x))` → `slice(x)`; `strided_slice(x)` →
//! `max_pool_1x1(view(x))`; `select_channels(x)` → `conv_1x1(view(x))` with weights 0 and 1, or
//! `rearrange(x)` for many channels.
//!
//! The rules are valid because a slice of a slice selects elements of `x` by composed indices, a
//! 1x1 max pool with a stride copies every `stride`-th pixel, and a 1x1 convolution with a single
//! weight 1 per output channel copies a channel.

use receptive_kernels::cpu::{Activation, Axis, Border, ConvSpec, PoolWindow};

use crate::compile::net::{Layer, LayerOp, Net, Rearrangement, Slice};
use crate::compile::weights::{WeightSource, Weights};

/// Multiply-adds of a convolution that take the time of copying one element to another lane.
pub(super) const COPY_MACS: usize = 48;

/// Replaces a slice of a slice by one slice.
pub fn compose_slices(net: &mut Net) {
    for index in 0..net.layers.len() {
        let layer = &net.layers[index];
        let LayerOp::Slice(second) = &layer.op else {
            continue;
        };
        let Some(before) = net.producer(layer.inputs[0]) else {
            continue;
        };
        let LayerOp::Slice(first) = &net.layers[before].op else {
            continue;
        };
        let channels = second.channels.iter();
        let along = |i: usize| first.start[i] + second.start[i] * first.step[i];
        let slice = Slice {
            channels: channels
                .map(|&channel| channel.and_then(|channel| first.channels[channel]))
                .collect(),
            start: [along(0), along(1)],
            step: [0, 1].map(|i| first.step[i] * second.step[i]),
        };
        let inputs = net.layers[before].inputs.clone();
        net.layers[index].op = LayerOp::Slice(slice);
        net.layers[index].inputs = inputs;
    }
    net.remove_dead_layers();
}

/// Lowers all slices that are not views of their input.
///
/// A slice of consecutive channels, starting at a multiple of `lanes`, with all pixels is a view
/// and stays. A slice of such channels with fewer pixels becomes a strided 1x1 max pool. Any other
/// slice becomes a 1x1 convolution with weights 0 and 1, or from [`COPY_MACS`] input channels on a
/// copy of elements. The pool and the convolution read a view that starts at the slice's first pixel;
/// the view of a pool has the channels of the slice only.
pub fn lower_slices(net: &mut Net, lanes: usize) {
    for index in 0..net.layers.len() {
        let layer = &net.layers[index];
        let LayerOp::Slice(slice) = layer.op.clone() else {
            continue;
        };
        let input = net.shape(layer.inputs[0]);
        let [_, height, width] = net.shape(layer.output);
        let aligned_run = slice
            .first_of_run()
            .filter(|first| first.is_multiple_of(lanes));
        let all_pixels = slice.keeps_all_pixels([input[1], input[2]], [height, width]);
        if aligned_run.is_none() && input[0] >= COPY_MACS {
            net.layers[index].op = LayerOp::Rearrange(copied(&slice, input, [height, width]));
            continue;
        }
        let op = match aligned_run {
            Some(_) if all_pixels => continue,
            Some(_) => LayerOp::MaxPool(PoolWindow {
                kernel: [1, 1],
                stride: slice.step,
                padding: [0, 0],
                dilation: [1, 1],
            }),
            None => LayerOp::Conv {
                spec: ConvSpec {
                    channels_in: input[0],
                    channels_out: slice.channels.len(),
                    kernel: [1, 1],
                    stride: slice.step,
                    padding: Border::default(),
                    dilation: [1, 1],
                    groups: 1,
                },
                weights: Weights::new(WeightSource::Select(slice.channels.clone()), None),
            },
        };
        net.layers[index].op = op;
        // The part of the input that the new layer reads: the pixels from the first to the last of
        // the slice, and for a pool only the channels of the slice.
        let first = aligned_run.unwrap_or(0);
        let channels = aligned_run.map_or(input[0], |_| slice.channels.len());
        let size = [0, 1].map(|i| ([height, width][i] - 1) * slice.step[i] + 1);
        // Whether windows over the whole input end at the last pixel of the slice.
        let ends = (0..2).all(|i| input[i + 1] - size[i] < slice.step[i]);
        if slice.start != [0, 0] || !ends || first != 0 || channels != input[0] {
            let view = Slice {
                channels: (first..first + channels).map(Some).collect(),
                start: slice.start,
                step: [1, 1],
            };
            let output = net.new_map([channels, size[0], size[1]]);
            let layer = &mut net.layers[index];
            let inputs = std::mem::replace(&mut layer.inputs, vec![output]);
            let name = layer.name.clone();
            net.layers.push(Layer {
                name,
                op: LayerOp::Slice(view),
                inputs,
                residual: None,
                activation: Activation::Identity,
                output,
            });
        }
    }
    sort_topologically(net);
}

/// Returns the copy of `slice`, with `size` rows and columns, of a map of shape `input`.
fn copied(slice: &Slice, input: [usize; 3], size: [usize; 2]) -> Rearrangement {
    let [_, rows, columns] = input;
    let plane = rows * columns;
    let offset = |channel: usize| u32::try_from(channel * plane).ok();
    let channels = slice.channels.iter();
    let channels = channels.map(|channel| channel.and_then(offset)).collect();
    let mut axes = vec![Axis::list(channels)];
    match slice.keeps_all_pixels([rows, columns], size) {
        true => axes.push(Axis::step(plane, 1)),
        false => axes.extend([
            Axis::step(size[0], (slice.step[0] * columns) as i64),
            Axis::step(size[1], slice.step[1] as i64),
        ]),
    }
    Rearrangement {
        base: slice.start[0] * columns + slice.start[1],
        axes,
        fill: 0.0,
    }
}

/// Moves each layer behind the layers that it reads, and otherwise keeps the order.
fn sort_topologically(net: &mut Net) {
    let mut written = vec![false; net.maps.len()];
    written[net.input.0] = true;
    let mut waiting = std::mem::take(&mut net.layers);
    while !waiting.is_empty() {
        let ready = |layer: &Layer| layer.reads().all(|read| written[read.0]);
        let next = waiting.iter().position(ready);
        let layer = waiting.remove(next.expect("an acyclic network"));
        written[layer.output.0] = true;
        net.layers.push(layer);
    }
}
