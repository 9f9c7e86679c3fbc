//! Times a forward pass of the compiled and the eager engine.

use std::time::Instant;

use burn::tensor::{Tensor, TensorData};
use receptive_layers::compile::Compiled;

use super::memory::check_bytes;
use super::report::{KernelTuning, TimingReport};
use super::timing::{noise, time_runs};
use crate::args::BenchArgs;
use crate::device;
use crate::engine;
use crate::error::CliError;
use crate::profile::{Profile, milliseconds};
use crate::registry::Model;
use crate::resolve::{GraphOptions, NetworkSource};

/// Seed of the random weights.
const SEED: u64 = 0;

/// Times a plan with random weights, or with those of the file, and profiles it with `--profile`.
pub(super) fn compiled(args: &BenchArgs, source: &NetworkSource) -> Result<TimingReport, CliError> {
    let start = Instant::now();
    let graph = source.graph(&GraphOptions {
        input: args.input,
        batch: args.batch,
        ..GraphOptions::default()
    })?;
    let read = start.elapsed();
    let batch = graph.shape(graph.input)[0];
    check_bytes(source.summary(&graph)?.activation_bytes, batch)?;
    let images = noise(graph.value(graph.input).len());
    let outputs = graph.outputs.iter();
    let lengths: Vec<usize> = outputs.map(|&id| graph.value(id).len()).collect();

    let start = Instant::now();
    let options = engine::compiler_options(&args.compute.tuning, batch, args.compute.threads);
    let compiled = Compiled::random(graph, SEED, &options);
    let mut compiled = compiled.map_err(|error| source.uncompiled(error))?;
    let load = read + start.elapsed();

    let mut values: Vec<Vec<f32>> = lengths
        .into_iter()
        .map(|length| vec![0.0; length])
        .collect();
    let mut outputs: Vec<&mut [f32]> = values.iter_mut().map(Vec::as_mut_slice).collect();
    let timing = time_runs(args.seconds, None, || {
        compiled
            .run_into(&images, &mut outputs)
            .map_err(|error| CliError::Compute(error.to_string()))
    })?;
    let profile = args
        .profile
        .then(|| Profile::measure(&mut compiled, &images, &mut outputs, timing.times.len()))
        .transpose()?;
    let (isa, threads) = (compiled.isa().name(), compiled.threads());
    Ok(TimingReport {
        isa: Some(isa),
        load_ms: Some(milliseconds(load)),
        profile,
        ..TimingReport::new(source.name(), batch, "compiled", threads, &timing)
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
        ..TimingReport::new(model.name, input[0], "eager", threads, &timing)
    })
}
