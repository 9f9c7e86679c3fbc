//! Where every map lies: its lanes, its border, its place in the arena.
//!
//! Convolutions read their padding from zeros around their input, so a map has the border that the
//! neediest of its readers wants; a map that none pads is dense, which pointwise convolutions run
//! through in one row. The parts of a concatenation are written where the whole lies, if they begin
//! with a block of channels. An image of few channels is planar: a block would be mostly nothing.
//!
//! A batch's images lie next to each other in every map; where weights are few, in the whole arena instead, each with all
//! its maps. Then a thread can take an image through all layers while others are elsewhere with theirs, and
//! waits for nobody: in LeNet-5, a layer of eight images is done in less time than it takes to see that all threads are.

use std::ops::Range;

use receptive_kernels::cpu::{Algorithm, Border, Map};

use super::lifetimes::{self, Lifetime};
use super::net::{Layer, LayerOp, MapId, Net};
use super::segments::Segments;

/// The lanes and memory of a network's maps.
#[derive(Debug)]
pub(super) struct Layout {
    places: Vec<Place>,
    /// Elements of the arena.
    pub arena: usize,
}

/// Where a map is.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// A map of its own.
    Own(Map),
    /// Within another, from a channel, row and column on.
    Within {
        map: MapId,
        channel: usize,
        start: [usize; 2],
    },
}

/// Channels from which an image is laid out in blocks.
const BLOCKED_FROM: usize = 8;

/// Elements of weights that every thread may read for itself: what is a small part of a core's own cache.
const FEW_WEIGHTS: usize = 128 << 10;

/// Elements of the weights of all layers.
fn weights(net: &Net) -> usize {
    let of_layer = |layer: &Layer| match &layer.op {
        LayerOp::Conv { spec, .. } => spec.weights(),
        LayerOp::Separable { first, spec, .. } => first.spec.weights() + spec.weights(),
        _ => 0,
    };
    net.layers.iter().map(of_layer).sum()
}

/// Whether the network's input is planar: it has few channels, and convolutions alone read it.
pub(super) fn is_planar(net: &Net) -> bool {
    let readers = net.readers(net.input);
    let convolves = |&reader: &usize| match &net.layers[reader] {
        Layer {
            op: LayerOp::Conv { spec, .. },
            residual,
            ..
        } => !spec.is_depthwise() && *residual != Some(net.input),
        _ => false,
    };
    net.shape(net.input)[0] < BLOCKED_FROM
        && readers.iter().all(convolves)
        && !net.outputs.contains(&net.input)
}

/// The parts of the concatenation `layer` that are copied, with the channel where each begins;
/// the others are computed in place.
pub(super) fn copied(net: &Net, layout: &Layout, layer: &Layer) -> Vec<(MapId, usize)> {
    let mut first = 0;
    let parts = layer.inputs.iter().map(|&part| {
        let channel = first;
        first += net.shape(part)[0];
        (part, channel)
    });
    let in_place = |part: MapId, begins: usize| {
        matches!(layout.places[part.0], Place::Within { map, channel, .. }
            if map == layer.output && channel == begins)
    };
    // A map that is there twice is in place once.
    let mut placed = Vec::new();
    parts
        .filter(|&(part, channel)| {
            let here = in_place(part, channel) && !placed.contains(&part);
            placed.push(part);
            !here
        })
        .collect()
}

impl Layout {
    /// Lays out `net` for batches of `images`, which pass it in `stretches`, in blocks of `lanes`.
    pub fn of(
        net: &Net,
        algorithms: &[Option<Algorithm>],
        lanes: usize,
        images: usize,
        segments: &Segments,
    ) -> Self {
        let planar = is_planar(net);
        let within = within(net, lanes);
        let mut borders = vec![Border::default(); net.maps.len()];
        for (layer, algorithm) in net.layers.iter().zip(algorithms) {
            if let LayerOp::Separable { first, .. } = &layer.op {
                let border = &mut borders[root(&within, layer.inputs[0]).0];
                *border = border.union(first.spec.padding);
            }
            if let (LayerOp::Conv { spec, .. }, Some(algorithm)) = (&layer.op, algorithm) {
                let [_, height, width] = net.shape(layer.output);
                let border = &mut borders[root(&within, layer.inputs[0]).0];
                *border = border.union(algorithm.border(spec, [height, width]));
            }
        }

        let mut own = Vec::new();
        for (index, span) in spans(net, lanes).into_iter().enumerate() {
            if let Some((first, last)) = span {
                let lanes = if planar && MapId(index) == net.input {
                    1
                } else {
                    lanes
                };
                let slots = segments.micro_batch(last);
                let map = Map::new(net.maps[index], borders[index], lanes, 0).with_slots(slots);
                // While a map waits for as many images as pass a later stretch, others pass all steps before that.
                let waits = segments.micro_batch(first) != slots;
                let lifetime = Lifetime {
                    len: map.elements(),
                    first: if waits { 0 } else { first },
                    last,
                };
                own.push((index, map, lifetime));
            }
        }
        let separate = segments.are_one(images) && weights(net) <= FEW_WEIGHTS;
        let times: Vec<Lifetime> = (own.iter())
            .map(|&(_, map, lifetime)| match separate {
                true => Lifetime {
                    len: map.image,
                    ..lifetime
                },
                false => lifetime,
            })
            .collect();
        let (offsets, mut arena) = lifetimes::place(&times);
        if separate {
            own.iter_mut().for_each(|(_, map, _)| map.image = arena);
            arena *= images;
        }
        // A map that nothing touches is never asked for.
        let nowhere = Place::Own(Map::new([0, 0, 0], Border::default(), lanes, 0));
        let mut places: Vec<Place> = within
            .into_iter()
            .map(|place| place.unwrap_or(nowhere))
            .collect();
        for ((index, map, _), offset) in own.into_iter().zip(offsets) {
            places[index] = Place::Own(Map { offset, ..map });
        }
        Self { places, arena }
    }

    /// Where `map` of `net` lies.
    pub fn map(&self, net: &Net, map: MapId) -> Map {
        match self.places[map.0] {
            Place::Own(map) => map,
            Place::Within {
                map: outer,
                channel,
                start: [y, x],
            } => {
                let [channels, height, width] = net.shape(map);
                let outer = self.map(net, outer).slice(channel, channels);
                Map {
                    height,
                    width,
                    offset: outer.offset + y * outer.row + x * outer.lanes,
                    ..outer
                }
            }
        }
    }
}

/// The step that first touches each map, or what lies within it, and the step that last does: 0 is the
/// import, the layers follow, then the export. Steps beside it that may be computed at once count as well.
pub(super) fn spans(net: &Net, lanes: usize) -> Vec<Option<(usize, usize)>> {
    let within = within(net, lanes);
    let phases = phases(net);
    let mut spans = vec![None; net.maps.len()];
    let mut touch = |map: MapId, step: usize| {
        let (start, end) = (phases[step].start, phases[step].end - 1);
        let (first, last) = spans[root(&within, map).0].get_or_insert((start, end));
        (*first, *last) = (start.min(*first), end.max(*last));
    };
    touch(net.input, 0);
    for (index, layer) in net.layers.iter().enumerate() {
        for map in layer.reads().chain([layer.output]) {
            touch(map, index + 1);
        }
    }
    for &output in &net.outputs {
        touch(output, net.layers.len() + 1);
    }
    spans
}

/// For each step, those beside it of which none depends on another.
fn phases(net: &Net) -> Vec<Range<usize>> {
    let levels = net.levels();
    // The import and the export are by themselves.
    let lens = levels.chunk_by(|a, b| a == b).map(<[usize]>::len);
    let lens = std::iter::once(1).chain(lens).chain(std::iter::once(1));
    let mut phases = Vec::new();
    for len in lens {
        let first = phases.len();
        phases.extend(std::iter::repeat_n(first..first + len, len));
    }
    phases
}

/// The map that `map` lies within at last.
fn root(within: &[Option<Place>], mut map: MapId) -> MapId {
    while let Some(Place::Within { map: outer, .. }) = within[map.0] {
        map = outer;
    }
    map
}

/// The maps that lie within others: views, and the parts of concatenations.
fn within(net: &Net, lanes: usize) -> Vec<Option<Place>> {
    let mut within: Vec<Option<Place>> = vec![None; net.maps.len()];
    for layer in &net.layers {
        if let LayerOp::Pick(pick) = &layer.op {
            within[layer.output.0] = Some(Place::Within {
                map: layer.inputs[0],
                channel: pick.first_of_run().unwrap_or(0),
                start: pick.start,
            });
        }
    }
    for layer in &net.layers {
        if !matches!(layer.op, LayerOp::Concat) {
            continue;
        }
        let mut channel = 0;
        for part in &layer.inputs {
            if channel % lanes == 0 && within[part.0].is_none() {
                within[part.0] = Some(Place::Within {
                    map: layer.output,
                    channel,
                    start: [0, 0],
                });
            }
            channel += net.shape(*part)[0];
        }
    }
    within
}
