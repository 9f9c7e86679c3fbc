//! `receptive run`: an array of images in, an array of logits out.

use receptive_layers::compile::Compiled;
use receptive_layers::weights::StateDict;

use crate::args::RunArgs;
use crate::engine::Runner;
use crate::error::CliError;
use crate::npy::{ImageBatch, LogitsFile};
use crate::registry;

/// Images that run through the network together: enough to keep every core busy, few enough that
/// VGG's maps stay under 1 GB.
const IMAGES_AT_ONCE: usize = 8;

/// Runs the network over the batch, a few images at a time.
pub fn run(args: &RunArgs) -> Result<(), CliError> {
    let model = registry::model(&args.model)?;
    let batch = ImageBatch::open(&args.input)?;
    let input = |source| CliError::Input {
        model: model.name,
        source,
    };
    model.input.check(batch.shape).map_err(input)?;
    let output = LogitsFile::create(&args.output)?;

    let [count, channels, height, width] = batch.shape;
    let together = [count.min(IMAGES_AT_ONCE), channels, height, width];
    let mut runner = if Compiled::is_file(&args.weights) {
        Runner::open(
            &args.weights,
            &model,
            [channels, height, width],
            &args.compute,
        )?
    } else {
        let weights = StateDict::open(&args.weights)?;
        let origin = args.weights.display().to_string();
        Runner::new(&model, &weights, &origin, together, &args.compute)?
    };

    let images = batch.read()?;
    let together = IMAGES_AT_ONCE.min(runner.batch());
    let mut logits = Vec::new();
    for part in images.chunks(together * channels * height * width) {
        let shape = [
            part.len() / (channels * height * width),
            channels,
            height,
            width,
        ];
        logits.extend(runner.logits(part, shape)?);
    }
    output.write(&logits, [count, logits.len() / count])?;
    Ok(())
}
