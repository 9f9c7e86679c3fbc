//! The compiler's intermediate representation: layers over feature maps, without the batch axis.

use receptive_kernels::cpu::{
    Activation, Axis, BinaryOp, Border, ContractAxis, ConvSpec, Function, PoolWindow, Reduction,
};

use super::weights::{Affine, WeightSource, Weights};
use crate::graph::ValueId;

/// A network of layers over feature maps.
///
/// Every map is written once: by one layer, or by the import of the input (static single
/// assignment). A vector is a map of one pixel.
#[derive(Debug, Clone)]
pub(super) struct Net {
    /// `[channels, height, width]` of every map.
    pub maps: Vec<[usize; 3]>,
    pub input: MapId,
    pub outputs: Vec<MapId>,
    /// `[channels, height, width]` of every output; may be a reshape of the output's map.
    pub output_shapes: Vec<[usize; 3]>,
    /// The layers in topological order: each follows the layers whose outputs it reads.
    pub layers: Vec<Layer>,
}

/// The index of a map in [`Net::maps`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct MapId(pub usize);

/// A layer, which becomes one or more steps of the program, or none.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// Name of the node in the graph.
    pub name: String,
    pub op: LayerOp,
    pub inputs: Vec<MapId>,
    /// The map that a convolution adds to its result before the activation.
    pub residual: Option<MapId>,
    /// The activation that a convolution, [`LayerOp::Binary`] or [`LayerOp::Activation`] applies
    /// last; `Identity` for every other operation.
    pub activation: Activation,
    pub output: MapId,
}

/// The operation of a layer.
#[derive(Debug, Clone)]
pub(super) enum LayerOp {
    /// A convolution or fully connected layer.
    Conv {
        spec: ConvSpec,
        weights: Weights,
    },
    /// A depthwise convolution followed by a pointwise convolution.
    Separable {
        first: Box<DepthwiseConv>,
        spec: ConvSpec,
        weights: Weights,
    },
    /// A chain of scales and shifts of each channel.
    Affine(Vec<Affine>),
    /// Zero padding around a map.
    Pad(Border),
    /// A selection of channels, rows and columns.
    Slice(Slice),
    MaxPool(PoolWindow),
    MeanPool {
        window: PoolWindow,
        count_include_pad: bool,
    },
    /// The mean over each cell of a grid of nearly equal cells, one cell for each output pixel.
    AdaptiveMean,
    /// Local response normalization across channels.
    Lrn {
        size: usize,
        alpha: f64,
        beta: f64,
        k: f64,
    },
    /// Squared Euclidean distances to centres `[out, in]`.
    RadialBasis {
        centers: ValueId,
        inputs: usize,
    },
    /// Element-wise arithmetic of two maps. The second may have one pixel, and is then repeated for
    /// every pixel of the first.
    Binary(BinaryOp),
    /// Only the activation of [`Layer::activation`].
    Activation,
    /// An element-wise function that no convolution can apply to its result.
    Function(Function),
    /// Softmax over the channels.
    Softmax,
    /// Concatenation along the channels.
    Concat,
    /// A copy of elements in another order.
    Rearrange(Rearrangement),
    /// A reduction over some axes of a map.
    Reduce {
        reduction: Reduction,
        /// The axes of the output, as axes of the input.
        outer: Vec<Axis>,
        /// The axes that are reduced.
        inner: Vec<Axis>,
    },
    /// Sums of products of elements of two maps.
    Contract {
        /// The axes of the output.
        outer: Vec<ContractAxis>,
        /// The axes of the sum.
        inner: Vec<ContractAxis>,
    },
    /// Interpolation of rows and columns: the rows and columns that each row and column is a sum of.
    Resample {
        rows: Taps,
        columns: Taps,
    },
    /// A map that does not depend on the input. The layer has no inputs.
    Constant(Constant),
}

/// For each row or column of an output, the rows or columns of the input with their weights.
pub(super) type Taps = Vec<Vec<(usize, f32)>>;

/// A copy of elements in another order. Elements of a map are numbered in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rearrangement {
    /// Number of the element of the input that the axes count from.
    pub base: usize,
    /// The axes of the output, outermost first, with the elements of the input along them.
    pub axes: Vec<Axis>,
    /// The number in elements that no element of the input is copied to.
    pub fill: f32,
}

/// The elements of a [`LayerOp::Constant`].
#[derive(Debug, Clone)]
pub(super) enum Constant {
    /// A constant value, broadcast to `shape`, whose elements in row-major order are those of the map.
    Value { value: ValueId, shape: Vec<usize> },
    /// One number.
    Fill(f64),
}

/// The depthwise convolution of a [`LayerOp::Separable`], whose output is not stored as a map.
#[derive(Debug, Clone)]
pub(super) struct DepthwiseConv {
    pub spec: ConvSpec,
    pub weights: Weights,
    pub activation: Activation,
}

/// A strided slice of a map: channels in any order, rows and columns in steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slice {
    /// The input channel of each output channel; `None` is a channel of zeros.
    pub channels: Vec<Option<usize>>,
    /// First row and column.
    pub start: [usize; 2],
    /// Step between rows and between columns, at least 1.
    pub step: [usize; 2],
}

impl Slice {
    /// Returns the first channel if the channels are consecutive and ascending, otherwise `None`.
    pub fn first_of_run(&self) -> Option<usize> {
        let first = (*self.channels.first()?)?;
        let mut run = self.channels.iter().zip(first..);
        run.all(|(&channel, expected)| channel == Some(expected))
            .then_some(first)
    }

    /// Whether the slice keeps every pixel, for an input of `size` and an output of `output` rows
    /// and columns.
    pub fn keeps_all_pixels(&self, size: [usize; 2], output: [usize; 2]) -> bool {
        size == output && self.start == [0, 0]
    }
}

impl Net {
    /// Returns `[channels, height, width]` of `map`.
    pub fn shape(&self, map: MapId) -> [usize; 3] {
        self.maps[map.0]
    }

    /// Returns the multiply-adds per image by the definition of the layers, whatever algorithms
    /// compute them.
    pub fn multiply_adds(&self) -> u64 {
        self.layers
            .iter()
            .map(|layer| layer.multiply_adds(self.shape(layer.output)))
            .sum()
    }

    /// Adds a map of `shape`.
    pub fn new_map(&mut self, shape: [usize; 3]) -> MapId {
        self.maps.push(shape);
        MapId(self.maps.len() - 1)
    }

    /// Returns the index of the layer that writes `map`, or `None` for the input.
    pub fn producer(&self, map: MapId) -> Option<usize> {
        self.layers.iter().position(|layer| layer.output == map)
    }

    /// Returns the indices of the layers that read `map`. A layer that reads `map` twice occurs
    /// twice.
    pub fn readers(&self, map: MapId) -> Vec<usize> {
        let reads = |layer: &Layer| layer.reads().filter(|&read| read == map).count();
        let layers = self.layers.iter().enumerate();
        layers
            .flat_map(|(index, layer)| std::iter::repeat_n(index, reads(layer)))
            .collect()
    }

    /// Returns the only reader of `map`, or `None` if there are other readers or `map` is an
    /// output.
    pub fn only_reader(&self, map: MapId) -> Option<usize> {
        match self.readers(map)[..] {
            [reader] if !self.outputs.contains(&map) => Some(reader),
            _ => None,
        }
    }

    /// Returns the layer that writes `map` if `reader` is the only reader of `map`.
    pub fn sole_producer(&self, map: MapId, reader: usize) -> Option<usize> {
        let producer = self.producer(map)?;
        (self.only_reader(map) == Some(reader)).then_some(producer)
    }

    /// Replaces `from` by `to` in all inputs, residuals and outputs.
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

    /// Returns the level of each layer: the number of steps on the longest path from the input to
    /// the layer's output. Slices and concatenations are no steps, because slices are views and
    /// most operands of concatenations are computed in place.
    pub fn levels(&self) -> Vec<usize> {
        let mut of_map = vec![0; self.maps.len()];
        let level = |layer: &Layer| {
            let before = layer.reads().map(|map| of_map[map.0]).max().unwrap_or(0);
            let is_step = !matches!(layer.op, LayerOp::Slice(_) | LayerOp::Concat);
            of_map[layer.output.0] = before + usize::from(is_step);
            of_map[layer.output.0]
        };
        self.layers.iter().map(level).collect()
    }

    /// Removes the layers that no output depends on (dead code elimination).
    pub fn remove_dead_layers(&mut self) {
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
    /// Iterates over the maps that the layer reads: its inputs and its residual.
    pub fn reads(&self) -> impl Iterator<Item = MapId> {
        self.inputs.iter().chain(&self.residual).copied()
    }

    /// Returns the multiply-adds per image by the definition of the layer, for an output of shape
    /// `[channels, height, width]`.
    pub fn multiply_adds(&self, [channels, height, width]: [usize; 3]) -> u64 {
        let products = match &self.op {
            LayerOp::Conv { spec, weights } => match weights.source {
                WeightSource::Transposed { multiply_adds, .. } => multiply_adds,
                _ => weights.fmas_per_pixel(spec) * height * width,
            },
            LayerOp::Separable {
                first,
                spec,
                weights,
            } => {
                let depthwise = first.weights.fmas_per_pixel(&first.spec);
                (depthwise + weights.fmas_per_pixel(spec)) * height * width
            }
            LayerOp::RadialBasis { inputs, .. } => channels * inputs,
            LayerOp::Contract { outer, inner } => {
                let axes = outer.iter().chain(inner);
                axes.map(|axis| axis.length).product()
            }
            _ => 0,
        };
        products as u64
    }

    /// Whether the layer is a convolution without a residual and without an activation.
    pub fn is_bare_conv(&self) -> bool {
        matches!(self.op, LayerOp::Conv { .. })
            && self.residual.is_none()
            && self.activation == Activation::Identity
    }
}
