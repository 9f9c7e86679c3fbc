//! Taking some of a map's elements: slices, strides, channels of zeros.

use receptive_kernels::cpu::{Activation, Border, ConvSpec};

use crate::compile::net::{Layer, LayerOp, Net, Pick, Window};
use crate::compile::weights::{Kernel, Weights};

/// Makes a pick of a pick one.
pub fn compose_picks(net: &mut Net) {
    for index in 0..net.layers.len() {
        let layer = &net.layers[index];
        let LayerOp::Pick(second) = &layer.op else {
            continue;
        };
        let Some(before) = net.producer(layer.inputs[0]) else {
            continue;
        };
        let LayerOp::Pick(first) = &net.layers[before].op else {
            continue;
        };
        let channels = second.channels.iter();
        let along = |i: usize| first.start[i] + second.start[i] * first.step[i];
        let pick = Pick {
            channels: channels
                .map(|&channel| channel.and_then(|channel| first.channels[channel]))
                .collect(),
            start: [along(0), along(1)],
            step: [0, 1].map(|i| first.step[i] * second.step[i]),
        };
        let inputs = net.layers[before].inputs.clone();
        net.layers[index].op = LayerOp::Pick(pick);
        net.layers[index].inputs = inputs;
    }
    net.drop_unread();
}

/// Leaves only picks that are views: channels in order from a multiple of `lanes` on, or pixels in
/// order for a layer that reads no border. The others become pools of one pixel or, where
/// channels change places, convolutions whose weights are 0 and 1.
pub fn lower_picks(net: &mut Net, lanes: usize) {
    for index in 0..net.layers.len() {
        let layer = &net.layers[index];
        let LayerOp::Pick(pick) = layer.op.clone() else {
            continue;
        };
        let input = net.shape(layer.inputs[0]);
        let [_, height, width] = net.shape(layer.output);
        let run = pick
            .first_of_run()
            .filter(|first| first.is_multiple_of(lanes));
        let whole = pick.is_whole([input[1], input[2]], [height, width]);
        let op = match run {
            Some(_) if whole => continue,
            Some(_) => LayerOp::MaxPool(Window {
                kernel: [1, 1],
                stride: pick.step,
                padding: [0, 0],
                dilation: [1, 1],
            }),
            None => LayerOp::Conv {
                spec: ConvSpec {
                    channels_in: input[0],
                    channels_out: pick.channels.len(),
                    kernel: [1, 1],
                    stride: pick.step,
                    padding: Border::default(),
                    dilation: [1, 1],
                    groups: 1,
                },
                weights: Weights::new(Kernel::Select(pick.channels.clone()), None),
            },
        };
        net.layers[index].op = op;
        // The pixels, and for a pool the channels, that it sees of its input.
        let first = run.unwrap_or(0);
        let channels = run.map_or(input[0], |_| pick.channels.len());
        let size = [0, 1].map(|i| ([height, width][i] - 1) * pick.step[i] + 1);
        let seen = [channels, size[0], size[1]];
        if pick.start != [0, 0] || first != 0 || channels != input[0] {
            let view = Pick {
                channels: (first..first + channels).map(Some).collect(),
                start: pick.start,
                step: [1, 1],
            };
            let output = net.new_map(seen);
            let layer = &mut net.layers[index];
            let inputs = std::mem::replace(&mut layer.inputs, vec![output]);
            let name = layer.name.clone();
            net.layers.push(Layer {
                name,
                op: LayerOp::Pick(view),
                inputs,
                residual: None,
                activation: Activation::Identity,
                output,
            });
        }
    }
    sort(net);
}

/// Puts each layer after those that it reads, leaving the rest in order.
fn sort(net: &mut Net) {
    let mut written = vec![false; net.maps.len()];
    written[net.input.0] = true;
    let mut waiting = std::mem::take(&mut net.layers);
    while !waiting.is_empty() {
        let ready = |layer: &Layer| layer.reads().all(|read| written[read.0]);
        let next = waiting.iter().position(ready);
        let layer = waiting.remove(next.expect("no layer reads what comes of it"));
        written[layer.output.0] = true;
        net.layers.push(layer);
    }
}
