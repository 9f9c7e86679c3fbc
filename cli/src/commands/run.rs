//! `receptive run`: computes the logits of a NumPy array of images.

use crate::args::RunArgs;
use crate::engine::Runner;
use crate::error::CliError;
use crate::npy::{ArrayFile, ImageBatch};
use crate::registry;
use crate::resolve::ResolvedModel;

/// Largest number of images in a batch: enough work for every core, with less than 1 GB of feature
/// maps for VGG.
const MAX_BATCH: usize = 8;

/// Runs the network over the array in batches and writes the logits.
///
/// # Errors
///
/// [`CliError`] when the array does not fit the network, the weights or plan cannot be used, or the
/// output cannot be written.
pub fn run(args: &RunArgs) -> Result<(), CliError> {
    let model = registry::model(&args.model)?;
    let array = ImageBatch::open(&args.input)?;
    model
        .input
        .check(array.shape)
        .map_err(|source| CliError::Input {
            model: model.name,
            source,
        })?;
    let output = ArrayFile::create(&args.output)?;
    let resolved = ResolvedModel::open(&model, Some(&args.weights), args.key.key(), &args.compute)?;

    let [count, channels, height, width] = array.shape;
    let input = [count.min(MAX_BATCH), channels, height, width];
    let mut runner = Runner::new(resolved, input, &args.compute)?;

    let images = array.read()?;
    let image_len = channels * height * width;
    let batch = MAX_BATCH.min(runner.max_batch());
    let mut logits = Vec::new();
    for values in images.chunks(batch * image_len) {
        let shape = [values.len() / image_len, channels, height, width];
        logits.extend(runner.logits(values, shape)?);
    }
    output.write(&logits, [count, logits.len() / count])?;
    Ok(())
}
