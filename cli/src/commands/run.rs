//! `receptive run`: computes the output of a network for a NumPy array.

use receptive_layers::compile::{Compiled, Outputs};

use crate::args::{Engine, RunArgs};
use crate::engine::{self, Runner};
use crate::error::CliError;
use crate::npy::{ArrayFile, InputArray};
use crate::onnx_network::OnnxFile;
use crate::registry::Model;
use crate::resolve::{NetworkSource, ResolvedModel};
use crate::same_file::check_output;

/// Largest number of images in a batch: enough work for every core, with less than 1 GB of feature
/// maps for VGG.
const MAX_BATCH: usize = 8;

/// Runs the network over the array in batches and writes the output.
///
/// # Errors
///
/// [`CliError`] when the array does not fit the network, the weights, plan or file cannot be used, or the
/// output cannot be written.
pub fn run(args: &RunArgs) -> Result<(), CliError> {
    match NetworkSource::named(&args.model)? {
        NetworkSource::Registered(model) => run_registered(args, &model),
        NetworkSource::File(file) => run_file(args, &file),
    }
}

/// Computes the logits of images.
fn run_registered(args: &RunArgs, model: &Model) -> Result<(), CliError> {
    if args.output_name.is_some() {
        return Err(CliError::OnlyForFiles {
            option: "--output-name",
            model: model.name,
            reason: "; its output is the logits",
        });
    }
    let read = [Some(args.input.as_path()), args.weights.as_deref()];
    check_output(&args.output, read.into_iter().flatten())?;
    let array = InputArray::open(&args.input)?;
    let shape = array.image_shape()?;
    model.input.check(shape).map_err(|source| CliError::Input {
        model: model.name,
        source,
    })?;
    let output = ArrayFile::create(&args.output)?;
    let weights = args.weights.as_deref();
    let resolved = ResolvedModel::open(model, weights, args.key.key(), &args.compute)?;

    let [count, channels, height, width] = shape;
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
    output.write(&logits, &[count, logits.len() / count])?;
    Ok(())
}

/// Computes an output of an ONNX file.
fn run_file(args: &RunArgs, file: &OnnxFile) -> Result<(), CliError> {
    file.refuse_weights(args.weights.is_some(), args.key.key())?;
    file.refuse_eager(args.compute.engine()? == Engine::Eager)?;
    check_output(&args.output, [file.path.as_path(), &args.input])?;
    let array = InputArray::open(&args.input)?;
    let origin = || format!("the array {}", args.input.display());
    let mut network = file.read_for(&array.shape, Some(MAX_BATCH), &origin)?;
    let (_, mut shape) = network.keep_output(args.output_name.as_deref())?;
    if let (true, Some(images)) = (network.graph.any_batch, shape.first_mut()) {
        *images = array.shape[0];
    }
    let output = ArrayFile::create(&args.output)?;
    let (tuning, threads) = (&args.compute.tuning, args.compute.threads);
    let options = engine::compiler_options(tuning, network.input()[0], threads);
    let batch_len = network.graph.value(network.graph.input).len();
    let mut compiled = network.compile(&options)?;

    let images = array.read()?;
    let mut values = Vec::new();
    for batch in images.chunks(batch_len) {
        values.extend(compute(&mut compiled, batch)?);
    }
    output.write(&values, &shape)?;
    Ok(())
}

fn compute(compiled: &mut Compiled, images: &[f32]) -> Result<Vec<f32>, CliError> {
    let outputs = compiled.run(images);
    let outputs = outputs.map(Outputs::into_first);
    outputs.map_err(|error| CliError::Compute(error.to_string()))
}
