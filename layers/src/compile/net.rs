//! A network in the terms of the kernels: layers over maps without the batch.

use receptive_kernels::cpu::{Activation, Border, ConvSpec};

use super::weights::{Affine, Weights};
use crate::graph::{Arithmetic, ValueId};

/// What the passes turn a recorded graph into.
///
/// A map is written once, by one layer or as the input. Vectors are maps of one pixel.
#[derive(Debug, Clone)]
pub(super) struct Net {
    /// `[channels, height, width]` of every map.
    pub maps: Vec<[usize; 3]>,
    pub input: MapId,
    pub outputs: Vec<MapId>,
    /// Their shapes, which may be other views of the maps.
    pub output_shapes: Vec<[usize; 3]>,
    /// Each after those whose outputs it reads.
    pub layers: Vec<Layer>,
}

/// The place of a map in [`Net::maps`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct MapId(pub usize);

/// A step to be.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// The node's name in the graph.
    pub name: String,
    pub op: LayerOp,
    pub inputs: Vec<MapId>,
    /// Added before the activation, of a convolution.
    pub residual: Option<MapId>,
    /// Of a convolution, an [`LayerOp::Affine`], a [`LayerOp::Binary`] and an
    /// [`LayerOp::Activation`].
    pub activation: Activation,
    pub output: MapId,
}

/// What a layer computes.
#[derive(Debug, Clone)]
pub(super) enum LayerOp {
    /// A convolution or fully connected layer.
    Conv {
        spec: ConvSpec,
        weights: Weights,
    },
    /// A depthwise convolution and the pointwise one after it.
    Separable {
        first: Box<Stage>,
        spec: ConvSpec,
        weights: Weights,
    },
    /// A factor and a summand for each channel.
    Affine(Vec<Affine>),
    /// Zeros around a map.
    Pad(Border),
    /// Some of the input's elements.
    Pick(Pick),
    MaxPool(Window),
    MeanPool {
        window: Window,
        count_include_pad: bool,
    },
    /// Means of as many parts as the output has pixels.
    AdaptiveMean,
    Lrn {
        size: usize,
        alpha: f64,
        beta: f64,
        k: f64,
    },
    /// Squared distances to centres `[out, in]`.
    RadialBasis {
        centers: ValueId,
        inputs: usize,
    },
    Binary(Arithmetic),
    /// Nothing but the layer's activation.
    Activation,
    /// Over the channels.
    Softmax,
    /// Along the channels.
    Concat,
}

/// A convolution whose output is not kept.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub spec: ConvSpec,
    pub weights: Weights,
    pub activation: Activation,
}

/// A pool's windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    /// Above and on the left; below and on the right windows end where the output does.
    pub padding: [usize; 2],
    pub dilation: [usize; 2],
}

/// Which elements of a map another has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pick {
    /// The input's channel for each of the output's; zeros where there is none.
    pub channels: Vec<Option<usize>>,
    /// The first row and column.
    pub start: [usize; 2],
    /// From one row and column to the next.
    pub step: [usize; 2],
}

impl Pick {
    /// The first channel, of channels in order without a gap.
    pub fn first_of_run(&self) -> Option<usize> {
        let first = (*self.channels.first()?)?;
        let mut run = self.channels.iter().zip(first..);
        run.all(|(&channel, expected)| channel == Some(expected))
            .then_some(first)
    }

    /// Whether it takes every pixel of an input of `size` for an output of `output`.
    pub fn is_whole(&self, size: [usize; 2], output: [usize; 2]) -> bool {
        size == output && self.start == [0, 0]
    }
}

impl Net {
    pub fn shape(&self, map: MapId) -> [usize; 3] {
        self.maps[map.0]
    }

    /// Multiply-adds of an image, as the layers are defined.
    pub fn multiply_adds(&self) -> u64 {
        self.layers
            .iter()
            .map(|layer| layer.multiply_adds(self.shape(layer.output)))
            .sum()
    }

    pub fn new_map(&mut self, shape: [usize; 3]) -> MapId {
        self.maps.push(shape);
        MapId(self.maps.len() - 1)
    }

    /// The layer that writes `map`; none writes the input.
    pub fn producer(&self, map: MapId) -> Option<usize> {
        self.layers.iter().position(|layer| layer.output == map)
    }

    /// The layers that read `map`, one that reads it twice counted twice.
    pub fn readers(&self, map: MapId) -> Vec<usize> {
        let reads = |layer: &Layer| layer.reads().filter(|&read| read == map).count();
        let layers = self.layers.iter().enumerate();
        layers
            .flat_map(|(index, layer)| std::iter::repeat_n(index, reads(layer)))
            .collect()
    }

    /// The one layer that reads `map`, which is not an output.
    pub fn only_reader(&self, map: MapId) -> Option<usize> {
        match self.readers(map)[..] {
            [reader] if !self.outputs.contains(&map) => Some(reader),
            _ => None,
        }
    }

    /// The layer that writes `map`, if `reader` alone reads it.
    pub fn sole_producer(&self, map: MapId, reader: usize) -> Option<usize> {
        let producer = self.producer(map)?;
        (self.only_reader(map) == Some(reader)).then_some(producer)
    }

    /// Lets whoever read `from`, outputs included, read `to`.
    pub fn replace(&mut self, from: MapId, to: MapId) {
        let reads = self
            .layers
            .iter_mut()
            .flat_map(|layer| layer.inputs.iter_mut().chain(&mut layer.residual));
        for read in reads.chain(&mut self.outputs) {
            if *read == from {
                *read = to;
            }
        }
    }

    /// For each layer, how many steps at least must come before it. A view is no step, nor is a concatenation: its parts
    /// are computed in place, most of them.
    pub fn levels(&self) -> Vec<usize> {
        let mut of_map = vec![0; self.maps.len()];
        let level = |layer: &Layer| {
            let before = layer.reads().map(|map| of_map[map.0]).max().unwrap_or(0);
            let is_step = !matches!(layer.op, LayerOp::Pick(_) | LayerOp::Concat);
            of_map[layer.output.0] = before + usize::from(is_step);
            of_map[layer.output.0]
        };
        self.layers.iter().map(level).collect()
    }

    /// Leaves out the layers that no output depends on.
    pub fn drop_unread(&mut self) {
        let mut needed = vec![false; self.maps.len()];
        for output in &self.outputs {
            needed[output.0] = true;
        }
        let mut kept = Vec::new();
        for layer in std::mem::take(&mut self.layers).into_iter().rev() {
            if needed[layer.output.0] {
                for read in layer.reads() {
                    needed[read.0] = true;
                }
                kept.push(layer);
            }
        }
        kept.reverse();
        self.layers = kept;
    }
}

impl Layer {
    /// Every map that it reads.
    pub fn reads(&self) -> impl Iterator<Item = MapId> {
        self.inputs.iter().chain(&self.residual).copied()
    }

    /// Multiply-adds of an image, as the layer is defined, for an output of this shape.
    pub fn multiply_adds(&self, [channels, height, width]: [usize; 3]) -> u64 {
        let products = match &self.op {
            LayerOp::Conv { spec, weights } => weights.products(spec) * height * width,
            LayerOp::Separable {
                first,
                spec,
                weights,
            } => (first.weights.products(&first.spec) + weights.products(spec)) * height * width,
            LayerOp::RadialBasis { inputs, .. } => channels * inputs,
            _ => 0,
        };
        products as u64
    }

    /// Whether it is a convolution that nothing follows yet.
    pub fn is_bare_conv(&self) -> bool {
        matches!(self.op, LayerOp::Conv { .. })
            && self.residual.is_none()
            && self.activation == Activation::Identity
    }
}
