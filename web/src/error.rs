//! What can go wrong, in words for people.

use receptive_kernels::cost::CostError;
use receptive_kernels::geometry::GeometryError;
use receptive_layers::compile::{CompileError, RunError};
use receptive_layers::graph::GraphError;
use receptive_layers::image::ImageError;
use receptive_layers::weights::WeightsError;

/// A call that cannot be answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are no weights of this network.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The network was not recorded.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The network was not compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The network did not run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The file is no photo.
    #[error("the file {0}")]
    Photo(#[from] ImageError),
    /// A window does not fit.
    #[error(transparent)]
    Geometry(#[from] GeometryError),
    /// A cost does not fit 64 bits.
    #[error(transparent)]
    Cost(#[from] CostError),
    /// A layer whose arithmetic is not explained.
    #[error("layer {layer} is {operation}, which is not explained")]
    Unexplained {
        /// Its name.
        layer: String,
        /// What it does.
        operation: String,
    },
    /// A pool would have windows that lie over the border alone, or mostly.
    #[error("a pool's padding is {padding}, expected at most half of its kernel of {kernel}")]
    PoolPadding {
        /// Positions added on each side.
        padding: usize,
        /// Positions that a window has along an axis.
        kernel: usize,
    },
    /// A pool's window has gaps.
    #[error("a pool's dilation is {0}, expected 1")]
    PoolDilation(usize),
    /// A kernel has another size.
    #[error("the kernel has {found} values, expected {expected}")]
    KernelSize {
        /// Values there are.
        found: usize,
        /// Values there must be.
        expected: usize,
    },
    /// A drawing has another size.
    #[error("the drawing has {found} values, expected {expected}")]
    DrawingSize {
        /// Values there are.
        found: usize,
        /// Values there must be.
        expected: usize,
    },
    /// A drawing has a value that is no ink.
    #[error("value {index} of the drawing is {found}, expected 0 (paper) to 1 (ink)")]
    Ink {
        /// Its place, row by row.
        index: usize,
        /// What there is.
        found: f32,
    },
    /// There is no such layer, or stage.
    #[error("there is no {what} {asked}, expected 0 to {last}")]
    Place {
        /// What was asked for: `layer` or `stage`.
        what: &'static str,
        /// Its number.
        asked: usize,
        /// The last number there is.
        last: usize,
    },
    /// A layer has no such unit.
    #[error(
        "layer {layer} has no unit in channel {}, row {}, column {}; it is {}x{}x{}",
        asked[0], asked[1], asked[2], shape[0], shape[1], shape[2]
    )]
    Unit {
        /// The layer's name.
        layer: String,
        /// Channel, row and column.
        asked: [usize; 3],
        /// Channels, height and width of the layer.
        shape: [usize; 3],
    },
    /// The maps of a photo were asked for, and there was no photo.
    #[error("no photo was classified yet")]
    NoPhoto,
    /// A number is not a whole one, or too large or small.
    #[error("{name} is {found}, expected a whole number from {least} to {most}")]
    Number {
        /// What it stands for.
        name: &'static str,
        /// What there is.
        found: f64,
        /// The least it may be.
        least: usize,
        /// The most it may be.
        most: usize,
    },
}
