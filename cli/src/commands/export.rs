//! `receptive export`: writes a network with its weights as an ONNX file.

use crate::args::ExportArgs;
use crate::error::CliError;
use crate::onnx_file::{self, OnnxOptions};
use crate::registry;
use crate::same_file::check_output;
use crate::weights::ModelWeights;

/// Writes the file.
///
/// # Errors
///
/// [`CliError`] when the weights cannot be used, or the file cannot be written.
pub fn run(args: &ExportArgs) -> Result<(), CliError> {
    let model = registry::model(&args.model)?;
    check_output(&args.output, args.weights.as_deref())?;
    let weights = args.weights.as_deref();
    let weights = ModelWeights::open_or_pretrained(&model, weights, args.key.key())?;
    let options = OnnxOptions {
        opset: args.opset,
        batch: args.batch,
        with_preprocessing: args.with_preprocessing,
    };
    onnx_file::write(&weights, &options, &args.output)
}
