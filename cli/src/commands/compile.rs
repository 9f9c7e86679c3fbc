//! `receptive compile`: a network with its weights in one file that starts at once.

use receptive_layers::weights::StateDict;

use crate::args::CompileArgs;
use crate::device;
use crate::engine;
use crate::error::CliError;
use crate::registry;

/// Compiles and writes the file.
pub fn run(args: &CompileArgs) -> Result<(), CliError> {
    let model = registry::model(&args.model)?;
    let weights = StateDict::open(&args.weights)?;
    let origin = args.weights.display().to_string();
    let network = model.load(&weights, &origin, &device::processor()?)?;
    drop(weights);
    let [_, channels, height, width] = model.input.shape();
    let options = engine::options(&args.tuning, args.batch, None);
    network
        .compile([args.batch, channels, height, width], &options)
        .and_then(|compiled| compiled.with_name(model.name).save(&args.output))
        .map_err(|source| model.uncompiled(source))
}
