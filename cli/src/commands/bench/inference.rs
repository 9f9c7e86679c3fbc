//! Times a forward pass of the compiled and the eager engine.

use burn::tensor::{Tensor, TensorData};
use receptive_layers::compile::Compiled;

use super::report::{KernelTuning, TimingReport};
use super::timing::{noise, time_runs};
use crate::args::BenchArgs;
use crate::device;
use crate::engine;
use crate::error::CliError;
use crate::profile::Profile;
use crate::registry::Model;

/// Seed of the random weights.
const SEED: u64 = 0;

/// Times a plan with random weights for images of shape `input`, and profiles it with `--profile`.
pub(super) fn compiled(
    args: &BenchArgs,
    model: &Model,
    input: [usize; 4],
) -> Result<TimingReport, CliError> {
    let options = engine::compiler_options(&args.compute.tuning, args.batch, args.compute.threads);
    let graph = model.graph(model.classes, input, false)?;
    let mut compiled =
        Compiled::random(graph, SEED, &options).map_err(|source| model.uncompiled(source))?;
    let images = noise(input.iter().product());
    let mut logits = vec![0.0; args.batch * model.classes];
    let timing = time_runs(args.seconds, None, || {
        compiled
            .run_into(&images, &mut [&mut logits])
            .map_err(|error| CliError::Compute(error.to_string()))
    })?;
    let profile = args
        .profile
        .then(|| Profile::measure(&mut compiled, &images, &mut logits, timing.times.len()))
        .transpose()?;
    let (isa, threads) = (compiled.isa().name(), compiled.threads());
    Ok(TimingReport {
        isa: Some(isa),
        profile,
        ..TimingReport::new(model, args, "compiled", threads, &timing)
    })
}

/// Times the Burn module with random weights on images of shape `input`.
pub(super) fn eager(
    args: &BenchArgs,
    model: &Model,
    input: [usize; 4],
) -> Result<TimingReport, CliError> {
    engine::limit_backend_threads(args.compute.threads);
    let device = device::open(args.compute.device)?;
    let network = model.fresh(&device)?;
    let images = Tensor::<4>::from_data(
        TensorData::new(noise(input.iter().product()), input),
        &device,
    );
    let name = device::name_or_default(args.compute.device);
    let timing = time_runs(args.seconds, Some(name), || {
        // Burn computes asynchronously: reading the logits waits for the device.
        network
            .forward(images.clone())
            .try_into_vec_as::<f32>()
            .map(drop)
            .map_err(|error| CliError::Compute(error.to_string()))
    })?;
    let threads = engine::threads_or_cores(args.compute.threads).get();
    Ok(TimingReport {
        device: Some(name.name()),
        tuning: KernelTuning::of(name),
        ..TimingReport::new(model, args, "eager", threads, &timing)
    })
}
