//! ONNX files of networks with their weights.

use std::path::Path;

use receptive_layers::atomic_file::AtomicFile;
use receptive_layers::graph::LOGITS;
use receptive_onnx::{BatchSize, InputFormat, WriteOptions};

use crate::args::ExportBatch;
use crate::device;
use crate::error::CliError;
use crate::weights::ModelWeights;

/// Options of a file.
pub struct OnnxOptions {
    /// Version of the operators.
    pub opset: i64,
    /// Number of images in a batch.
    pub batch: ExportBatch,
    /// Whether the input is pixels, which the file normalizes.
    pub with_preprocessing: bool,
}

impl Default for OnnxOptions {
    fn default() -> Self {
        Self {
            opset: WriteOptions::default().opset,
            batch: ExportBatch::Dynamic,
            with_preprocessing: false,
        }
    }
}

/// Writes the network of `weights` to the ONNX file `path`.
///
/// # Errors
///
/// [`CliError`] when the weights do not fit the network, an operation of the network has no ONNX operator, or the file
/// cannot be written; an existing file is then unchanged.
pub fn write(weights: &ModelWeights, options: &OnnxOptions, path: &Path) -> Result<(), CliError> {
    let name = weights.model.name;
    let network = weights.load(&device::cpu()?)?;
    let [channels, height, width] = weights.description.input;
    let (images, batch) = match options.batch {
        ExportBatch::Dynamic => (1, BatchSize::Dynamic),
        ExportBatch::Fixed(images) => (images, BatchSize::Recorded),
    };
    let graph = network.record([images, channels, height, width], &[LOGITS]);
    let graph = graph.map_err(|source| CliError::Graph {
        model: name,
        source,
    })?;
    drop(network);
    let options = WriteOptions {
        opset: options.opset,
        batch,
        input: match options.with_preprocessing {
            true => InputFormat::Pixels(weights.description.preprocessing),
            false => InputFormat::Planes,
        },
        metadata: metadata(weights)?,
    };
    let bytes = receptive_onnx::write(&graph, &options);
    let bytes = bytes.map_err(|source| CliError::Onnx {
        model: name,
        source,
    })?;
    AtomicFile::write(path, &bytes).map_err(|source| CliError::OnnxFile {
        path: path.to_owned(),
        source,
    })
}

/// Returns the texts that are stored in the file: network, labels, preprocessing, source and licence of the weights.
fn metadata(weights: &ModelWeights) -> Result<Vec<(String, String)>, CliError> {
    let description = &weights.description;
    let mut texts = vec![("network".to_owned(), weights.model.name.to_owned())];
    if !description.labels.is_empty() {
        let labels = serde_json::to_string(&description.labels)?;
        texts.push(("labels".to_owned(), labels));
    }
    let preprocessing = serde_json::to_string(&description.preprocessing)?;
    texts.push(("preprocessing".to_owned(), preprocessing));
    if let Some(publisher) = &weights.publisher {
        texts.push(("source".to_owned(), publisher.source.clone()));
        texts.push(("licence".to_owned(), publisher.licence.to_owned()));
    }
    Ok(texts)
}
