//! A network whose layers form one chain, and the values of every layer.

mod frame;
mod layer;

use receptive_layers::graph::Graph;

pub(crate) use frame::InputFrame;
pub(crate) use layer::{ChainLayer, layers};
pub use layer::{LayerInfo, LayerKind, PoolKind};

/// The recorded network and the values that its last run computed.
pub(crate) struct Chain {
    /// The recorded graph, with its weights.
    pub graph: Graph,
    /// The layers in order; layer 0 is the input.
    pub layers: Vec<ChainLayer>,
    /// Padding and normalisation of the drawing.
    pub frame: InputFrame,
    /// Values of each layer, `[channels, height, width]`, in the order of `layers`.
    pub values: Vec<Vec<f32>>,
}
