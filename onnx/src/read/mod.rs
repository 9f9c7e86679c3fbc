//! Reading of ONNX files as graphs.
//!
//! Every operator is translated to the operations of [`Op`](receptive_layers::graph::Op). Operators on constants are
//! evaluated, so that computations of shapes vanish.
//!
//! Imports run one way: `mod` uses `build`, `order` and `inputs`; `build` uses `operators`; these use `call`; `call` uses
//! `state` and `evaluate`; these use `operand`, `initializers`, `tensor`, `shape` and `fault`.

mod attributes;
mod build;
mod call;
mod elements;
mod error;
mod evaluate;
mod external;
mod fault;
mod initializers;
mod inputs;
mod operand;
mod operators;
mod options;
mod order;
mod shape;
mod state;
mod tensor;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use prost::Message;
use prost::bytes::Bytes;
use receptive_layers::graph::Graph;

use build::Source;
use external::ExternalData;
use initializers::Initializers;

pub(crate) use operators::{coordinates, taps};

pub use error::{MissingOperator, ReadError};
pub use options::{NEWEST_OPSET, OLDEST_OPSET, ReadOptions};

use crate::proto::ModelProto;

/// A network that was read from an ONNX file.
#[derive(Debug, Clone)]
pub struct Model {
    /// The operations. Parameters have the names of the file's initializers, nodes those of its nodes.
    pub graph: Graph,
    /// Name of the input in the file.
    pub input: String,
    /// Version of the operators.
    pub opset: i64,
    /// Name of the program that wrote the file.
    pub producer: String,
    /// Version of the program that wrote the file.
    pub producer_version: String,
    /// Texts of the file. Files of `receptive export` have `network`, `labels`, `preprocessing`, `source` and `licence`.
    pub metadata: BTreeMap<String, String>,
}

/// Reads the ONNX file at `path`, and the files of weights beside it.
///
/// Values are float32: weights in float16, bfloat16 and float64 are converted. The graph is that of inference. Its
/// [`any_batch`](Graph::any_batch) is true if the file leaves the number of images open and every image is computed
/// independently.
///
/// # Errors
///
/// [`ReadError`] if the file is damaged or not valid, if it has several inputs or an input without known shape, or if
/// operators are not supported: [`ReadError::Unsupported`] lists all of them.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Model, ReadError> {
    let failed = |source| ReadError::File {
        path: path.to_owned(),
        source,
    };
    receptive_layers::bounded_file::check_regular(path).map_err(failed)?;
    let bytes = std::fs::read(path).map_err(failed)?;
    model(bytes.into(), ExternalData::new(Some(path)), options)
}

/// Reads an ONNX file from its bytes. All weights must be in these bytes.
///
/// # Errors
///
/// As [`read`].
pub fn read_bytes(bytes: &[u8], options: &ReadOptions) -> Result<Model, ReadError> {
    model(
        Bytes::copy_from_slice(bytes),
        ExternalData::new(None),
        options,
    )
}

fn model(bytes: Bytes, external: ExternalData, options: &ReadOptions) -> Result<Model, ReadError> {
    let mut model = ModelProto::decode(bytes).map_err(|error| ReadError::Format {
        message: error.to_string(),
    })?;
    let graph = model.graph.take().ok_or(ReadError::NoGraph)?;
    let versions = model.opset_import.iter();
    let found = versions
        .filter(|set| build::is_own(&set.domain))
        .map(|set| set.version)
        .max();
    let opset = found.filter(|opset| (OLDEST_OPSET..=NEWEST_OPSET).contains(opset));
    let opset = opset.ok_or(ReadError::Opset { found })?;
    if graph.output.is_empty() {
        return Err(ReadError::NoOutputs);
    }
    let initializers = Initializers::new(&graph, external)?;
    let input = inputs::input(&graph, &initializers, options)?;
    let is_given = |name: &str| name == input.name || initializers.contains(name);
    let order = order::order(&graph, is_given)?;
    let source = Source {
        model: &model,
        graph: &graph,
        initializers: &initializers,
        order: &order,
        opset,
    };
    let mut built = source.build(&input, input.shape.clone())?;
    if input.any_batch {
        // A batch of one more image shows whether the graph is the same for every batch size.
        let mut shape = input.shape.clone();
        shape[0] += 1;
        let larger = source.build(&input, shape);
        built.graph.any_batch =
            larger.is_ok_and(|larger| built.graph.is_same_per_image(&larger.graph));
    }
    let name = input.name.to_owned();
    initializers.clear();
    let mut graph = built.graph;
    state::set_parameters(&mut graph, built.parameters);
    let metadata = model.metadata_props.into_iter();
    Ok(Model {
        graph,
        input: name,
        opset,
        producer: model.producer_name,
        producer_version: model.producer_version,
        metadata: metadata.map(|entry| (entry.key, entry.value)).collect(),
    })
}
