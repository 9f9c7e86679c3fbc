//! Whoever reads a map finds what was written there, however the images pass the layers.

use std::collections::HashSet;
use std::ops::Range;

use proptest::prelude::*;
use receptive_kernels::cpu::{Activation, Algorithm, Border, ConvSpec, Map, WinogradTile};

use crate::compile::layout::{Layout, copied};
use crate::compile::net::{Layer, LayerOp, MapId, Net, Pick};
use crate::compile::segments::Segments;
use crate::compile::weights::{Kernel, Weights};
use crate::graph::Arithmetic;

#[derive(Debug, Clone, Copy)]
enum Add {
    Conv { channels: usize, winograd: bool },
    Sum,
    Concat,
    View,
}

fn add() -> impl Strategy<Value = (Add, usize, usize)> {
    let add = prop_oneof![
        3 => (prop::sample::select(vec![3, 8, 16, 20, 32]), any::<bool>())
            .prop_map(|(channels, winograd)| Add::Conv { channels, winograd }),
        1 => Just(Add::Sum),
        2 => Just(Add::Concat),
        1 => Just(Add::View),
    ];
    (add, any::<usize>(), any::<usize>())
}

fn network(adds: &[(Add, usize, usize)]) -> (Net, Vec<Option<Algorithm>>) {
    let mut net = Net {
        maps: vec![[16, 5, 6]],
        input: MapId(0),
        outputs: Vec::new(),
        output_shapes: Vec::new(),
        layers: Vec::new(),
    };
    let mut algorithms = Vec::new();
    for &(add, a, b) in adds {
        let [a, b] = [a, b].map(|place| MapId(place % net.maps.len()));
        let [channels, height, width] = net.shape(a);
        let mut algorithm = None;
        let (op, inputs, out) = match add {
            Add::Conv {
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
                let weights = Weights::new(Kernel::Fill(1.0), None);
                (LayerOp::Conv { spec, weights }, vec![a], out)
            }
            Add::Sum if net.shape(b) == net.shape(a) => {
                (LayerOp::Binary(Arithmetic::Add), vec![a, b], channels)
            }
            Add::Concat => (LayerOp::Concat, vec![a, b], channels + net.shape(b)[0]),
            Add::View if channels > 16 => {
                let pick = Pick {
                    channels: (16..channels).map(Some).collect(),
                    start: [0, 0],
                    step: [1, 1],
                };
                (LayerOp::Pick(pick), vec![a], channels - 16)
            }
            Add::Sum | Add::View => continue,
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

/// Where the blocks of some images begin, and their elements.
fn blocks(map: &Map, images: Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> {
    images.flat_map(move |image| {
        (0..map.blocks()).map(move |block| {
            let first = map.offset + image * map.image + block * map.block;
            (image, first..first + map.block)
        })
    })
}

/// A network where it lies in memory.
#[derive(Debug)]
struct Laid {
    net: Net,
    layout: Layout,
    lanes: usize,
    images: usize,
    segments: Segments,
}

/// Which images pass each of `steps`, one after the other: those that pass the last stretch together first pass all
/// before it.
fn passes(
    segments: &Segments,
    steps: Range<usize>,
    images: Range<usize>,
) -> Vec<(usize, Range<usize>)> {
    let Some(last) = steps.clone().last() else {
        return Vec::new();
    };
    let micro_batch = segments.micro_batch(last);
    let other = |&step: &usize| segments.micro_batch(step) != micro_batch;
    let begins = steps
        .clone()
        .rfind(other)
        .map_or(steps.start, |step| step + 1);
    let mut all = Vec::new();
    for first in images.clone().step_by(micro_batch) {
        let batch = first..images.end.min(first + micro_batch);
        all.extend(passes(segments, steps.start..begins, batch.clone()));
        all.extend((begins..steps.end).map(|step| (step, batch.clone())));
    }
    all
}

/// Any network, for some images, of which more and more pass the steps together.
fn laid() -> impl Strategy<Value = Laid> {
    let adds = prop::collection::vec(add(), 1..14);
    let lanes = prop::sample::select(vec![4, 8, 16]);
    let seed = prop::collection::vec(any::<usize>(), 1..6);
    (adds, lanes, 1..8usize, seed).prop_map(|(adds, lanes, images, seed)| {
        let (net, algorithms) = network(&adds);
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
        let layout = Layout::of(&net, &algorithms, lanes, images, &segments);
        Laid {
            net,
            layout,
            lanes,
            images,
            segments,
        }
    })
}

/// Small convolutions one after the other, for four images of which so many pass all steps together: every map's
/// stride from image to image, and the arena.
fn of_four(channels: usize, micro_batch: usize) -> (Vec<usize>, usize) {
    let conv = Add::Conv {
        channels,
        winograd: false,
    };
    let (net, algorithms) = network(&[(conv, 0, 0), (conv, 1, 0), (conv, 2, 0)]);
    let segments = Segments::new(vec![micro_batch; net.layers.len() + 2]);
    let layout = Layout::of(&net, &algorithms, 8, 4, &segments);
    let strides = (0..net.maps.len()).map(|map| layout.map(&net, MapId(map)).image);
    (strides.collect(), layout.arena)
}

#[test]
fn images_have_memory_of_their_own_where_weights_are_few_and_all_pass_together() {
    let (strides, arena) = of_four(32, 4);
    assert!(strides.iter().all(|&stride| 4 * stride == arena));
    // Two at a time need memory for two.
    let (strides, two) = of_four(32, 2);
    assert!(strides.iter().any(|&stride| stride != strides[0]));
    assert!(two <= arena / 2);
    // Many weights.
    let (strides, _) = of_four(256, 4);
    assert!(strides.iter().any(|&stride| stride != strides[0]));
}

#[test]
fn a_map_has_places_for_those_that_pass_its_last_step() {
    let conv = Add::Conv {
        channels: 32,
        winograd: false,
    };
    let (net, algorithms) = network(&[(conv, 0, 0), (conv, 1, 0), (conv, 2, 0)]);
    let segments = Segments::new(vec![1, 1, 2, 4, 4]);
    let layout = Layout::of(&net, &algorithms, 8, 5, &segments);
    let maps: Vec<Map> = (0..4).map(|map| layout.map(&net, MapId(map))).collect();
    let slots: Vec<usize> = maps.iter().map(|map| map.slots).collect();
    assert_eq!(slots, [1, 2, 4, 4]);
    // The last is written when nobody needs the first two any more.
    let elements = maps.iter().map(Map::elements);
    assert!(layout.arena < elements.sum());
}

proptest! {
    /// Or threads would wait for each other between them.
    #[test]
    fn layers_of_a_level_write_nothing_of_each_other_s(laid in laid()) {
        let Laid { net, layout, .. } = laid;
        let elements = |map: MapId| -> HashSet<usize> {
            let map = layout.map(&net, map);
            blocks(&map, 0..map.slots).flat_map(|(_, elements)| elements).collect()
        };
        let levels = net.levels();
        let is_step = |layer: &Layer| !matches!(layer.op, LayerOp::Concat | LayerOp::Pick(_));
        for (a, b) in (0..net.layers.len()).flat_map(|a| (0..a).map(move |b| (a, b))) {
            let [one, other] = [a, b].map(|index| &net.layers[index]);
            let at_once = levels[b..=a].iter().all(|level| *level == levels[a]);
            if !(at_once && is_step(one) && is_step(other)) {
                continue;
            }
            for (writer, reader) in [(one, other), (other, one)] {
                let written = elements(writer.output);
                for map in reader.reads().chain([reader.output]) {
                    let touched = elements(map);
                    prop_assert!(written.is_disjoint(&touched), "{} {}\n{}", writer.name, map, net);
                }
            }
        }
    }

    /// Every element says what was last written there: which map, of which image. That is what is
    /// found wherever a layer reads.
    #[test]
    fn what_is_read_is_what_was_written(laid in laid()) {
        let Laid { net, layout, lanes, images, segments } = laid;
        let mut root: Vec<MapId> = (0..net.maps.len()).map(MapId).collect();
        for layer in net.layers.iter().rev() {
            if let LayerOp::Concat = layer.op {
                let copied = copied(&net, &layout, layer);
                for part in &layer.inputs {
                    let there = layer.inputs.iter().filter(|other| *other == part).count();
                    // A map that is there twice may be in place once.
                    if copied.iter().filter(|(other, _)| other == part).count() < there {
                        root[part.0] = root[layer.output.0];
                    }
                }
            }
        }
        for layer in &net.layers {
            if let LayerOp::Pick(_) = layer.op {
                root[layer.output.0] = root[layer.inputs[0].0];
            }
        }
        let mut held = vec![None; layout.arena];
        for (step, batch) in passes(&segments, 0..net.layers.len() + 2, 0..images) {
            let here = |map: MapId| {
                let map = layout.map(&net, map);
                let from = batch.start % map.slots;
                assert!(from + batch.len() <= map.slots);
                (map, from..from + batch.len(), batch.start - from)
            };
            let (reads, writes): (Vec<MapId>, Vec<MapId>) = match step.checked_sub(1) {
                None => (vec![], vec![net.input]),
                Some(layer) if layer < net.layers.len() => {
                    let layer = &net.layers[layer];
                    match layer.op {
                        LayerOp::Pick(_) => (vec![], vec![]),
                        LayerOp::Concat => {
                            let copied = copied(&net, &layout, layer);
                            let reads = copied.into_iter().map(|(part, _)| part).collect();
                            (reads, vec![])
                        }
                        _ => (layer.reads().collect(), vec![layer.output]),
                    }
                }
                Some(_) => (net.outputs.clone(), vec![]),
            };
            for map in reads {
                let (place, range, before) = here(map);
                for (image, elements) in blocks(&place, range) {
                    let expected = Some((root[map.0], before + image));
                    for at in elements {
                        prop_assert_eq!(held[at], expected, "{} at {}\n{}", map, step, net);
                    }
                }
            }
            // What a concatenation copies is its own from then on.
            let copies = match step.checked_sub(1).and_then(|layer| net.layers.get(layer)) {
                Some(layer) if matches!(layer.op, LayerOp::Concat) => {
                    let copied = copied(&net, &layout, layer).into_iter();
                    let whole = layout.map(&net, layer.output);
                    copied
                        .map(|(part, channel)| {
                            let channels = net.shape(part)[0];
                            let first = channel / lanes * lanes;
                            (layer.output, whole.slice(first, channel + channels - first))
                        })
                        .collect()
                }
                _ => Vec::new(),
            };
            let writes = writes.into_iter().map(|map| (map, layout.map(&net, map)));
            for (map, place) in writes.chain(copies) {
                let (_, range, before) = here(map);
                for (image, elements) in blocks(&place, range) {
                    for at in elements {
                        held[at] = Some((root[map.0], before + image));
                    }
                }
            }
        }
    }
}
