//! Writing of graphs as ONNX files.

mod attributes;
mod error;
mod functions;
mod interpolation;
mod model;
mod nodes;
mod options;
mod pools;
mod tensors;
mod writer;

use prost::Message;
use receptive_layers::graph::Graph;

pub use error::WriteError;
pub use options::{BatchSize, InputFormat, WriteOptions};

/// Returns `graph` as the bytes of an ONNX file.
///
/// The inputs and outputs of the file are `input` and the names of the graph's outputs. Parameters have the names and
/// the layouts of PyTorch, so that a fully connected layer's weight is `[out, in]`. Values are float32.
///
/// # Errors
///
/// [`WriteError`] if an operation has no ONNX operator, an element of a parameter is unknown, or an option does not fit
/// the graph.
pub fn write(graph: &Graph, options: &WriteOptions) -> Result<Vec<u8>, WriteError> {
    Ok(model::model(graph, options)?.encode_to_vec())
}
