//! `receptive compile`: compiles a network with its weights into a plan file.

use receptive_layers::graph::LOGITS;

use crate::args::CompileArgs;
use crate::device;
use crate::engine;
use crate::error::CliError;
use crate::registry;
use crate::weights::ModelWeights;

/// Compiles the network and writes the plan.
///
/// # Errors
///
/// [`CliError`] when the weights do not fit the network, the network cannot be compiled, or the
/// plan cannot be written.
pub fn run(args: &CompileArgs) -> Result<(), CliError> {
    let model = registry::model(&args.model)?;
    let weights = ModelWeights::open(&model, &args.weights, args.key.key())?;
    let network = weights.load(&device::cpu()?)?;
    let [channels, height, width] = weights.description.input;
    let metadata = weights.description.metadata();
    drop(weights);
    let options = engine::compiler_options(&args.tuning, args.batch, None);
    network
        .compile([args.batch, channels, height, width], &[LOGITS], &options)
        .and_then(|compiled| compiled.with_metadata(metadata).save(&args.output))
        .map_err(|source| model.uncompiled(source))
}
