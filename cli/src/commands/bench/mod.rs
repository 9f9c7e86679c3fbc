//! `receptive bench`: the time of a forward pass or a training step.

mod inference;
mod memory;
mod report;
mod timing;
#[cfg(feature = "train")]
mod training;

use std::io::Write;

use crate::args::{BenchArgs, Engine};
use crate::error::CliError;
use crate::registry::Model;
use crate::resolve::NetworkSource;
use crate::roofline;
use memory::check_memory;
use receptive_layers::printable;

/// Measures the network and prints the report.
///
/// # Errors
///
/// [`CliError`] when the network is unknown or cannot run, or the report cannot be written.
pub fn run(args: &BenchArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let source = NetworkSource::named(&args.model)?;
    let engine = args.compute.engine()?;
    if let NetworkSource::File(file) = &source {
        #[cfg(feature = "train")]
        file.refuse(
            &[("--train", args.train)],
            "expected a network that `receptive models` lists",
        )?;
        file.refuse_eager(engine == Engine::Eager)?;
    }
    if args.profile && engine == Engine::Eager {
        return Err(CliError::EagerProfile);
    }
    let report = match &source {
        #[cfg(feature = "train")]
        NetworkSource::Registered(model) if args.train => {
            let input = image_shape(args, model);
            check_memory(model, input)?;
            training::step(args, model, input)?
        }
        NetworkSource::Registered(model) => {
            let input = image_shape(args, model);
            check_memory(model, input)?;
            match engine {
                Engine::Compiled => inference::compiled(args, &source)?,
                Engine::Eager => inference::eager(args, model, input)?,
            }
        }
        NetworkSource::File(_) => inference::compiled(args, &source)?,
    };
    if let (Some(path), Some(profile)) = (&args.roofline, &report.profile) {
        roofline::save(profile, source.name(), path)?;
    }
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
        return Ok(());
    }
    // The names of layers are those of a file.
    for line in report.to_string().lines() {
        writeln!(out, "{}", printable(line))?;
    }
    Ok(())
}

/// Returns the shape of the input of a registered network.
fn image_shape(args: &BenchArgs, model: &Model) -> [usize; 4] {
    let [_, channels, height, width] = model.input.shape();
    let batch = args.batch.unwrap_or(1);
    args.input.unwrap_or([batch, channels, height, width])
}
