//! Errors of the engine. The page shows their messages to the visitor.

use receptive_kernels::cost::CostError;
use receptive_kernels::geometry::GeometryError;
use receptive_layers::classifier::ClassifierError;
use receptive_layers::compile::{CompileError, RunError};
use receptive_layers::graph::GraphError;
use receptive_layers::image::ImageError;
use receptive_layers::weights::WeightsError;

/// An error of the engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not weights of the network.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The network could not be recorded as a graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The graph could not be compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The compiled network could not run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The photo cannot be classified.
    #[error(transparent)]
    Classifier(#[from] ClassifierError),
    /// The bytes are not an image in a supported format.
    #[error("the file {0}")]
    Photo(#[from] ImageError),
    /// The window is larger than the padded input.
    #[error(transparent)]
    Geometry(#[from] GeometryError),
    /// A cost does not fit in 64 bits.
    #[error(transparent)]
    Cost(#[from] CostError),
    /// The explorer does not support the operation of a layer.
    #[error("layer {layer} is {operation}, which the explorer does not support")]
    UnsupportedLayer {
        /// Name of the layer.
        layer: String,
        /// Operation of the layer, as the network summary names it.
        operation: String,
    },
    /// The padding of a pool is so large that windows could lie mostly or entirely in the padding.
    #[error("the pool's padding is {padding}, expected at most half of its kernel size {kernel}")]
    PoolPadding {
        /// Positions added on each side.
        padding: usize,
        /// Kernel size along each axis.
        kernel: usize,
    },
    /// The dilation of a pool is not 1.
    #[error("the pool's dilation is {0}, expected 1")]
    PoolDilation(usize),
    /// The number of kernel weights is not the square of the kernel size.
    #[error("the kernel has {found} values, expected {expected}")]
    KernelSize {
        /// Number of weights given.
        found: usize,
        /// Number of weights expected.
        expected: usize,
    },
    /// The number of pixels of a drawing is not the number the network expects.
    #[error("the drawing has {found} values, expected {expected}")]
    DrawingSize {
        /// Number of pixels given.
        found: usize,
        /// Number of pixels expected.
        expected: usize,
    },
    /// A pixel of a drawing is outside 0 to 1, or not a number.
    #[error("value {index} of the drawing is {found}, expected 0 (paper) to 1 (ink)")]
    Ink {
        /// Index of the pixel, row by row.
        index: usize,
        /// Value of the pixel.
        found: f32,
    },
    /// The index of a layer or of a stage is out of range.
    #[error("the {item} index is {index}, expected 0 to {last}")]
    Index {
        /// `layer` or `stage`.
        item: &'static str,
        /// The index given.
        index: usize,
        /// The largest valid index.
        last: usize,
    },
    /// A layer has no unit at the given channel, row and column.
    #[error(
        "layer {layer} has no unit at channel {}, row {}, column {}; its shape is {}x{}x{}",
        index[0], index[1], index[2], shape[0], shape[1], shape[2]
    )]
    Unit {
        /// Name of the layer.
        layer: String,
        /// `[channel, row, column]` given.
        index: [usize; 3],
        /// `[channels, height, width]` of the layer.
        shape: [usize; 3],
    },
    /// The feature maps of a photo were requested before any photo was classified.
    #[error("no photo has been classified yet")]
    NoPhoto,
    /// A number is not an integer, or is out of range.
    #[error("{name} is {found}, expected a whole number from {min} to {max}")]
    Number {
        /// Name of the argument.
        name: &'static str,
        /// The number given.
        found: f64,
        /// The smallest valid number.
        min: usize,
        /// The largest valid number.
        max: usize,
    },
}
