//! `receptive run`: an array of images in, an array of logits out.

use receptive_layers::weights::StateDict;

use crate::args::{Engine, RunArgs};
use crate::classifier::read_logits;
use crate::device;
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

    let device = device::open(args.compute.device)?;
    let weights = StateDict::open(&args.weights)?;
    let network = model.load(&weights, &args.weights.display().to_string(), &device)?;

    let images = batch.read(&device)?;
    let [count, ..] = images.dims();
    let mut logits = Vec::new();
    for part in images.split(IMAGES_AT_ONCE, 0) {
        let scores = match args.compute.engine {
            Engine::Eager => network.forward(part),
        };
        logits.extend(read_logits(scores)?);
    }
    output.write(&logits, [count, logits.len() / count])?;
    Ok(())
}
