//! Memory layout of every feature map: lanes, padding border, offset in the arena.
//!
//! Convolutions read their padding from a border of zeros around the input, so a map has the union
//! of the borders that its readers need. A map without a border is dense, and a pointwise
//! convolution processes it as one row. Operands of a concatenation are computed in place in the
//! output if they start at a block of channels. A network input with few channels is planar,
//! because a block would be mostly padding.
//!
//! The images of a batch are adjacent within every map. A network with few weights gets one arena
//! per image instead, which holds all maps of the image. Each thread can then run its images
//! through all layers without waiting for other threads: a LeNet-5 layer of eight images takes less
//! time than a barrier.

use receptive_kernels::cpu::{Algorithm, Border, Map};

use super::lifetimes::{self, Lifetime};
use super::liveness::live_ranges;
use super::net::{Layer, LayerOp, MapId, Net};
use super::segments::Segments;
use super::views::{View, root, views};

/// The memory layout of a network's maps.
#[derive(Debug)]
pub(super) struct MemoryLayout {
    storage: Vec<Storage>,
    /// Size of the arena, in elements.
    pub arena: usize,
}

/// The memory of a map.
#[derive(Debug, Clone, Copy)]
enum Storage {
    /// Memory in the arena.
    Own(Map),
    /// The memory of another map.
    View(View),
}

/// Number of channels from which an image is laid out in channel blocks.
const MIN_BLOCKED_CHANNELS: usize = 8;

/// Largest number of weights, in elements, that every core may hold in its private cache: a small
/// part of the L2 cache.
const MAX_PRIVATE_WEIGHTS: usize = 128 << 10;

/// Returns the number of weights of all layers, in elements.
fn weight_count(net: &Net) -> usize {
    let of_layer = |layer: &Layer| match &layer.op {
        LayerOp::Conv { spec, .. } => spec.weights(),
        LayerOp::Separable { first, spec, .. } => first.spec.weights() + spec.weights(),
        _ => 0,
    };
    net.layers.iter().map(of_layer).sum()
}

/// Whether the network's input is planar: it has few channels, and only dense convolutions read it.
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
    net.shape(net.input)[0] < MIN_BLOCKED_CHANNELS
        && readers.iter().all(convolves)
        && !net.outputs.contains(&net.input)
}

/// Returns the operands of the concatenation `layer` that are copied to the output, each with its
/// first output channel. All other operands are computed in place.
pub(super) fn copied_operands(
    net: &Net,
    layout: &MemoryLayout,
    layer: &Layer,
) -> Vec<(MapId, usize)> {
    let mut next_channel = 0;
    let operands = layer.inputs.iter().map(|&operand| {
        let channel = next_channel;
        next_channel += net.shape(operand)[0];
        (operand, channel)
    });
    let is_view_at = |operand: MapId, first: usize| {
        matches!(layout.storage[operand.0], Storage::View(View { base, channel, .. })
            if base == layer.output && channel == first)
    };
    // An operand that occurs twice is in place once.
    let mut seen = Vec::new();
    operands
        .filter(|&(operand, channel)| {
            let in_place = is_view_at(operand, channel) && !seen.contains(&operand);
            seen.push(operand);
            !in_place
        })
        .collect()
}

impl MemoryLayout {
    /// Lays out `net` for batches of `images` that run in `segments`, with blocks of `lanes`
    /// channels.
    pub fn new(
        net: &Net,
        algorithms: &[Option<Algorithm>],
        lanes: usize,
        images: usize,
        segments: &Segments,
    ) -> Self {
        let planar = is_planar(net);
        let views = views(net, lanes);
        let mut borders = vec![Border::default(); net.maps.len()];
        for (layer, algorithm) in net.layers.iter().zip(algorithms) {
            if let LayerOp::Separable { first, .. } = &layer.op {
                let border = &mut borders[root(&views, layer.inputs[0]).0];
                *border = border.union(first.spec.padding);
            }
            if let (LayerOp::Conv { spec, .. }, Some(algorithm)) = (&layer.op, algorithm) {
                let [_, height, width] = net.shape(layer.output);
                let border = &mut borders[root(&views, layer.inputs[0]).0];
                *border = border.union(algorithm.border(spec, [height, width]));
            }
        }

        let mut own = Vec::new();
        for (index, range) in live_ranges(net, lanes).into_iter().enumerate() {
            if let Some((first, last)) = range {
                let lanes = if planar && MapId(index) == net.input {
                    1
                } else {
                    lanes
                };
                let slots = segments.micro_batch(last);
                let map = Map::new(net.maps[index], borders[index], lanes, 0).with_slots(slots);
                // A map that collects the micro-batch of a later segment is live while other images
                // run through all earlier steps.
                let collects = segments.micro_batch(first) != slots;
                let lifetime = Lifetime {
                    len: map.elements(),
                    first: if collects { 0 } else { first },
                    last,
                };
                own.push((index, map, lifetime));
            }
        }
        let arena_per_image = segments.are_one(images) && weight_count(net) <= MAX_PRIVATE_WEIGHTS;
        let lifetimes: Vec<Lifetime> = (own.iter())
            .map(|&(_, map, lifetime)| match arena_per_image {
                true => Lifetime {
                    len: map.image,
                    ..lifetime
                },
                false => lifetime,
            })
            .collect();
        let (offsets, mut arena) = lifetimes::assign_offsets(&lifetimes);
        if arena_per_image {
            own.iter_mut().for_each(|(_, map, _)| map.image = arena);
            arena *= images;
        }
        // The layout of a map that no step accesses is never read.
        let unused = Storage::Own(Map::new([0, 0, 0], Border::default(), lanes, 0));
        let mut storage: Vec<Storage> = views
            .into_iter()
            .map(|view| view.map_or(unused, Storage::View))
            .collect();
        for ((index, map, _), offset) in own.into_iter().zip(offsets) {
            storage[index] = Storage::Own(Map { offset, ..map });
        }
        Self { storage, arena }
    }

    /// Returns the layout of `map` of `net`.
    pub fn map(&self, net: &Net, map: MapId) -> Map {
        match self.storage[map.0] {
            Storage::Own(map) => map,
            Storage::View(View {
                base,
                channel,
                start: [y, x],
            }) => {
                let [channels, height, width] = net.shape(map);
                let base = self.map(net, base).slice(channel, channels);
                // The pixels of the base map around the view belong to the view's border, so that
                // rows, blocks and images keep their strides. These pixels are not zeros, and only
                // layers without padding read the view of a part of the pixels.
                let border = Border {
                    top: base.border.top + y,
                    bottom: base.border.bottom + (base.height - y - height),
                    left: base.border.left + x,
                    right: base.border.right + (base.width - x - width),
                };
                Map {
                    height,
                    width,
                    border,
                    ..base
                }
            }
        }
    }
}
