//! `receptive bench`: the time of a forward pass or a training step, with random weights.

mod inference;
mod report;
mod timing;
#[cfg(feature = "train")]
mod training;

use std::io::Write;

use crate::args::{BenchArgs, Engine};
use crate::error::CliError;
use crate::registry::{self, Model};
use crate::roofline;
use receptive_kernels::allocator::try_allocate;

/// Measures the network and prints the report.
///
/// # Errors
///
/// [`CliError`] when the network is unknown or cannot run, or the report cannot be written.
pub fn run(args: &BenchArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let model = registry::model(&args.model)?;
    let engine = args.compute.engine()?;
    if args.profile && engine == Engine::Eager {
        return Err(CliError::EagerProfile);
    }
    let [_, channels, height, width] = model.input.shape();
    let input = [args.batch, channels, height, width];
    check_memory(&model, args.batch)?;
    let report = match engine {
        #[cfg(feature = "train")]
        _ if args.train => training::step(args, &model, input)?,
        Engine::Compiled => inference::compiled(args, &model, input)?,
        Engine::Eager => inference::eager(args, &model, input)?,
    };
    if let (Some(path), Some(profile)) = (&args.roofline, &report.profile) {
        roofline::save(profile, model.name, path)?;
    }
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
    } else {
        write!(out, "{report}")?;
    }
    Ok(())
}

/// Returns an error if the allocator refuses the memory for the feature maps of the batch.
fn check_memory(model: &Model, batch: usize) -> Result<(), CliError> {
    let image = model.summary(model.classes, model.input.shape(), false)?;
    let bytes = image.activation_bytes.saturating_mul(batch as u64);
    let mut maps: Vec<u8> = Vec::new();
    let length = usize::try_from(bytes).unwrap_or(usize::MAX);
    match try_allocate(|| maps.try_reserve_exact(length)) {
        Ok(()) => Ok(()),
        Err(_) => Err(CliError::Batch { batch, bytes }),
    }
}
