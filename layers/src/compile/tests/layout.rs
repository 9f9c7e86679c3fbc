//! Tests of the memory layout: every read of a map finds the elements that were written to the map,
//! for any segments of the batch.

use std::collections::HashSet;
use std::ops::Range;

use proptest::prelude::*;
use receptive_kernels::cpu::{
    Activation, Algorithm, BinaryOp, Border, ConvSpec, Map, WinogradTile,
};

use crate::compile::layout::{MemoryLayout, copied_operands};
use crate::compile::net::{Layer, LayerOp, MapId, Net, Slice};
use crate::compile::segments::Segments;
use crate::compile::weights::{WeightSource, Weights};

/// The kind of a random layer.
#[derive(Debug, Clone, Copy)]
enum LayerKind {
    Conv {
        channels: usize,
        winograd: bool,
    },
    Sum,
    Concat,
    /// A slice of the channels from 16 on.
    View,
}

/// Generates a random layer: its kind, and the indices of its operands.
fn random_layer() -> impl Strategy<Value = (LayerKind, usize, usize)> {
    let kind = prop_oneof![
        3 => (prop::sample::select(vec![3, 8, 16, 20, 32]), any::<bool>())
            .prop_map(|(channels, winograd)| LayerKind::Conv { channels, winograd }),
        1 => Just(LayerKind::Sum),
        2 => Just(LayerKind::Concat),
        1 => Just(LayerKind::View),
    ];
    (kind, any::<usize>(), any::<usize>())
}

/// Builds the network of the given layers, and returns the algorithm of each layer. Layers that do
/// not fit are omitted.
fn network(layers: &[(LayerKind, usize, usize)]) -> (Net, Vec<Option<Algorithm>>) {
    let mut net = Net {
        maps: vec![[16, 5, 6]],
        input: MapId(0),
        outputs: Vec::new(),
        output_shapes: Vec::new(),
        layers: Vec::new(),
    };
    let mut algorithms = Vec::new();
    for &(kind, a, b) in layers {
        let [a, b] = [a, b].map(|index| MapId(index % net.maps.len()));
        let [channels, height, width] = net.shape(a);
        let mut algorithm = None;
        let (op, inputs, out) = match kind {
            LayerKind::Conv {
                channels: out,
                winograd,
            } => {
                let spec = ConvSpec {
                    channels_in: channels,
                    channels_out: out,
                    kernel: [3, 3],
                    stride: [1, 1],
                    padding: Border {
                        top: 1,
                        bottom: 1,
                        left: 1,
                        right: 1,
                    },
                    dilation: [1, 1],
                    groups: 1,
                };
                algorithm = Some(if winograd {
                    Algorithm::Winograd(WinogradTile::Four)
                } else {
                    Algorithm::Direct
                });
                let weights = Weights::new(WeightSource::Fill(1.0), None);
                (LayerOp::Conv { spec, weights }, vec![a], out)
            }
            LayerKind::Sum if net.shape(b) == net.shape(a) => {
                (LayerOp::Binary(BinaryOp::Add), vec![a, b], channels)
            }
            LayerKind::Concat => (LayerOp::Concat, vec![a, b], channels + net.shape(b)[0]),
            LayerKind::View if channels > 16 => {
                let slice = Slice {
                    channels: (16..channels).map(Some).collect(),
                    start: [0, 0],
                    step: [1, 1],
                };
                (LayerOp::Slice(slice), vec![a], channels - 16)
            }
            LayerKind::Sum | LayerKind::View => continue,
        };
        let output = net.new_map([out, height, width]);
        net.layers.push(Layer {
            name: format!("{output}"),
            op,
            inputs,
            residual: None,
            activation: Activation::Identity,
            output,
        });
        algorithms.push(algorithm);
    }
    net.outputs = vec![MapId(net.maps.len() - 1)];
    (net, algorithms)
}

/// Iterates over the channel blocks of the images in the ring slots `slots`: the slot, and the
/// range of the block in the arena.
fn blocks(map: &Map, slots: Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> {
    slots.flat_map(move |slot| {
        (0..map.blocks()).map(move |block| {
            let first = map.offset + slot * map.image + block * map.block;
            (slot, first..first + map.block)
        })
    })
}

/// A network with its memory layout.
#[derive(Debug)]
struct LaidOut {
    net: Net,
    layout: MemoryLayout,
    lanes: usize,
    images: usize,
    segments: Segments,
}

/// Returns the execution order: each step with the images that it processes. Before each
/// micro-batch of the last segment, the same images run through all earlier segments.
fn execution_order(
    segments: &Segments,
    steps: Range<usize>,
    images: Range<usize>,
) -> Vec<(usize, Range<usize>)> {
    let Some(last) = steps.clone().last() else {
        return Vec::new();
    };
    let micro_batch = segments.micro_batch(last);
    let in_earlier_segment = |&step: &usize| segments.micro_batch(step) != micro_batch;
    let segment_start = steps
        .clone()
        .rfind(in_earlier_segment)
        .map_or(steps.start, |step| step + 1);
    let mut order = Vec::new();
    for first in images.clone().step_by(micro_batch) {
        let batch = first..images.end.min(first + micro_batch);
        order.extend(execution_order(
            segments,
            steps.start..segment_start,
            batch.clone(),
        ));
        order.extend((segment_start..steps.end).map(|step| (step, batch.clone())));
    }
    order
}

/// Generates a random network in a random layout, with micro-batches that grow from segment to
/// segment.
fn laid_out() -> impl Strategy<Value = LaidOut> {
    let layers = prop::collection::vec(random_layer(), 1..14);
    let lanes = prop::sample::select(vec![4, 8, 16]);
    let seed = prop::collection::vec(any::<usize>(), 1..6);
    (layers, lanes, 1..8usize, seed).prop_map(|(layers, lanes, images, seed)| {
        let (net, algorithms) = network(&layers);
        let sizes: Vec<usize> = [1, 2, 4]
            .into_iter()
            .filter(|size| *size < images)
            .collect();
        let sizes = [sizes, vec![images]].concat();
        let steps = net.layers.len() + 2;
        let mut micro_batch: Vec<usize> = (0..steps)
            .map(|step| sizes[seed[step / 3 % seed.len()] % sizes.len()])
            .collect();
        micro_batch.sort_unstable();
        let segments = Segments::new(micro_batch);
        let layout = MemoryLayout::new(&net, &algorithms, lanes, images, &segments);
        LaidOut {
            net,
            layout,
            lanes,
            images,
            segments,
        }
    })
}

/// Lays out a chain of three convolutions for four images in one segment of `micro_batch`. Returns
/// the stride between images of every map, and the size of the arena, in elements.
fn image_strides_and_arena(channels: usize, micro_batch: usize) -> (Vec<usize>, usize) {
    let conv = LayerKind::Conv {
        channels,
        winograd: false,
    };
    let (net, algorithms) = network(&[(conv, 0, 0), (conv, 1, 0), (conv, 2, 0)]);
    let segments = Segments::new(vec![micro_batch; net.layers.len() + 2]);
    let layout = MemoryLayout::new(&net, &algorithms, 8, 4, &segments);
    let strides = (0..net.maps.len()).map(|map| layout.map(&net, MapId(map)).image);
    (strides.collect(), layout.arena)
}

#[test]
fn each_image_has_its_own_arena_if_weights_are_few_and_one_segment_holds_all_steps() {
    let (strides, arena) = image_strides_and_arena(32, 4);
    assert!(strides.iter().all(|&stride| 4 * stride == arena));
    // A micro-batch of two images needs memory for two images only.
    let (strides, two) = image_strides_and_arena(32, 2);
    assert!(strides.iter().any(|&stride| stride != strides[0]));
    assert!(two <= arena / 2);
    // A network with many weights has a shared arena.
    let (strides, _) = image_strides_and_arena(256, 4);
    assert!(strides.iter().any(|&stride| stride != strides[0]));
}

#[test]
fn a_map_has_a_slot_for_each_image_of_its_last_reader_s_micro_batch() {
    let conv = LayerKind::Conv {
        channels: 32,
        winograd: false,
    };
    let (net, algorithms) = network(&[(conv, 0, 0), (conv, 1, 0), (conv, 2, 0)]);
    let segments = Segments::new(vec![1, 1, 2, 4, 4]);
    let layout = MemoryLayout::new(&net, &algorithms, 8, 5, &segments);
    let maps: Vec<Map> = (0..4).map(|map| layout.map(&net, MapId(map))).collect();
    let slots: Vec<usize> = maps.iter().map(|map| map.slots).collect();
    assert_eq!(slots, [1, 2, 4, 4]);
    // The last map reuses the memory of the first two maps, which are no longer live.
    let elements = maps.iter().map(Map::elements);
    assert!(layout.arena < elements.sum());
}

proptest! {
    /// Layers of a level run without a barrier between them.
    #[test]
    fn layers_of_a_level_access_disjoint_memory(laid_out in laid_out()) {
        let LaidOut { net, layout, .. } = laid_out;
        let elements = |map: MapId| -> HashSet<usize> {
            let map = layout.map(&net, map);
            blocks(&map, 0..map.slots).flat_map(|(_, elements)| elements).collect()
        };
        let levels = net.levels();
        let is_step = |layer: &Layer| !matches!(layer.op, LayerOp::Concat | LayerOp::Slice(_));
        for (a, b) in (0..net.layers.len()).flat_map(|a| (0..a).map(move |b| (a, b))) {
            let [one, other] = [a, b].map(|index| &net.layers[index]);
            let concurrent = levels[b..=a].iter().all(|level| *level == levels[a]);
            if !(concurrent && is_step(one) && is_step(other)) {
                continue;
            }
            for (writer, reader) in [(one, other), (other, one)] {
                let written = elements(writer.output);
                for map in reader.reads().chain([reader.output]) {
                    let accessed = elements(map);
                    prop_assert!(written.is_disjoint(&accessed), "{} {}\n{}", writer.name, map, net);
                }
            }
        }
    }

    /// Simulates a run in which every arena element stores the map and the image that were last
    /// written to it. Every layer must read the map and the image that it expects.
    #[test]
    fn reads_find_the_last_written_elements(laid_out in laid_out()) {
        let LaidOut { net, layout, lanes, images, segments } = laid_out;
        let mut root: Vec<MapId> = (0..net.maps.len()).map(MapId).collect();
        for layer in net.layers.iter().rev() {
            if let LayerOp::Concat = layer.op {
                let copied = copied_operands(&net, &layout, layer);
                for operand in &layer.inputs {
                    let occurrences = layer.inputs.iter().filter(|other| *other == operand).count();
                    // An operand that occurs twice may be in place once.
                    if copied.iter().filter(|(other, _)| other == operand).count() < occurrences {
                        root[operand.0] = root[layer.output.0];
                    }
                }
            }
        }
        for layer in &net.layers {
            if let LayerOp::Slice(_) = layer.op {
                root[layer.output.0] = root[layer.inputs[0].0];
            }
        }
        let mut contents = vec![None; layout.arena];
        for (step, batch) in execution_order(&segments, 0..net.layers.len() + 2, 0..images) {
            // The ring slots of the batch, and the index of the image in slot 0.
            let slots_of = |map: MapId| {
                let map = layout.map(&net, map);
                let first = batch.start % map.slots;
                assert!(first + batch.len() <= map.slots);
                (map, first..first + batch.len(), batch.start - first)
            };
            let (reads, writes): (Vec<MapId>, Vec<MapId>) = match step.checked_sub(1) {
                None => (vec![], vec![net.input]),
                Some(layer) if layer < net.layers.len() => {
                    let layer = &net.layers[layer];
                    match layer.op {
                        LayerOp::Slice(_) => (vec![], vec![]),
                        LayerOp::Concat => {
                            let copied = copied_operands(&net, &layout, layer);
                            let reads = copied.into_iter().map(|(operand, _)| operand).collect();
                            (reads, vec![])
                        }
                        _ => (layer.reads().collect(), vec![layer.output]),
                    }
                }
                Some(_) => (net.outputs.clone(), vec![]),
            };
            for map in reads {
                let (layout, slots, base) = slots_of(map);
                for (slot, elements) in blocks(&layout, slots) {
                    let expected = Some((root[map.0], base + slot));
                    for index in elements {
                        prop_assert_eq!(contents[index], expected, "{} at {}\n{}", map, step, net);
                    }
                }
            }
            // A concatenation writes the channels of the copied operands.
            let copies = match step.checked_sub(1).and_then(|layer| net.layers.get(layer)) {
                Some(layer) if matches!(layer.op, LayerOp::Concat) => {
                    let copied = copied_operands(&net, &layout, layer).into_iter();
                    let whole = layout.map(&net, layer.output);
                    copied
                        .map(|(operand, channel)| {
                            let channels = net.shape(operand)[0];
                            let first = channel / lanes * lanes;
                            (layer.output, whole.slice(first, channel + channels - first))
                        })
                        .collect()
                }
                _ => Vec::new(),
            };
            let writes = writes.into_iter().map(|map| (map, layout.map(&net, map)));
            for (map, layout) in writes.chain(copies) {
                let (_, slots, base) = slots_of(map);
                for (slot, elements) in blocks(&layout, slots) {
                    for index in elements {
                        contents[index] = Some((root[map.0], base + slot));
                    }
                }
            }
        }
    }
}
