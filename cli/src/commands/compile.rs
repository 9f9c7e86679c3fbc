//! `receptive compile`: compiles a network with its weights into a plan file.

use receptive_layers::compile::Compiled;
use receptive_layers::graph::LOGITS;

use crate::args::CompileArgs;
use crate::device;
use crate::engine;
use crate::error::CliError;
use crate::onnx_network::{INPUT_OPTION, OnnxFile};
use crate::registry::Model;
use crate::resolve::NetworkSource;
use crate::same_file::check_output;
use crate::weights::ModelWeights;

/// Compiles the network and writes the plan.
///
/// # Errors
///
/// [`CliError`] when the weights do not fit the network, the network cannot be compiled, or the
/// plan cannot be written.
pub fn run(args: &CompileArgs) -> Result<(), CliError> {
    let source = NetworkSource::named(&args.model)?;
    let inputs = [source.path(), args.weights.as_deref()];
    check_output(&args.output, inputs.into_iter().flatten())?;
    let plan = match &source {
        NetworkSource::Registered(model) => compile_registered(args, model)?,
        NetworkSource::File(file) => compile_file(args, file)?,
    };
    let saved = plan.save(&args.output);
    saved.map_err(|error| source.uncompiled(error))
}

fn compile_registered(args: &CompileArgs, model: &Model) -> Result<Compiled, CliError> {
    if args.input.is_some() {
        return Err(CliError::OnlyForFiles {
            option: "--input",
            model: model.name,
            reason: "; the size of its images is that of its weights",
        });
    }
    let weights = ModelWeights::open_or_pretrained(model, args.weights.as_deref(), args.key.key())?;
    let network = weights.load(&device::cpu()?)?;
    let [channels, height, width] = weights.description.input;
    let metadata = weights.description.metadata();
    drop(weights);
    let batch = args.batch.unwrap_or(1);
    let options = engine::compiler_options(&args.tuning, batch, None);
    let compiled = network.compile([batch, channels, height, width], &[LOGITS], &options);
    let compiled = compiled.map_err(|source| model.uncompiled(source))?;
    Ok(compiled.with_metadata(metadata))
}

fn compile_file(args: &CompileArgs, file: &OnnxFile) -> Result<Compiled, CliError> {
    file.refuse_weights(args.weights.is_some(), args.key.key())?;
    let network = match &args.input {
        Some(shape) => file.read_for(shape, None, &|| "--input".to_owned())?,
        None => file.read(args.batch, None, INPUT_OPTION)?,
    };
    let metadata = network.plan_metadata();
    let options = engine::compiler_options(&args.tuning, network.input()[0], None);
    Ok(network.compile(&options)?.with_metadata(metadata))
}
