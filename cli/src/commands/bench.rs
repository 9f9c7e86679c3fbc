//! `receptive bench`: how long a network takes, on random weights.

#[cfg(feature = "train")]
mod training;

use std::io::Write;
use std::time::{Duration, Instant};

use burn::tensor::{Tensor, TensorData};
use receptive_layers::compile::Compiled;
use serde::Serialize;

use crate::args::{BenchArgs, Engine};
use crate::device;
use crate::engine;
use crate::error::CliError;
use crate::profile::{Profile, median, milliseconds};
use crate::registry::{self, Model};

/// Fewer runs than this have no median.
const FEWEST_RUNS: usize = 5;

/// The seed of the random weights and images.
const SEED: u64 = 0;

#[derive(Serialize)]
struct Report {
    name: &'static str,
    batch: usize,
    threads: usize,
    engine: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    isa: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'static str>,
    median_ms: f64,
    fastest_ms: f64,
    runs: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<Profile>,
}

/// Times the network and prints what came out.
pub fn run(args: &BenchArgs, out: &mut dyn Write) -> Result<(), CliError> {
    let model = registry::model(&args.model)?;
    let engine = args.compute.engine()?;
    if args.profile && engine == Engine::Eager {
        return Err(CliError::EagerProfile);
    }
    let [_, channels, height, width] = model.input.shape();
    let input = [args.batch, channels, height, width];
    must_fit(&model, args.batch)?;
    let report = match engine {
        #[cfg(feature = "train")]
        _ if args.train => training::step(args, &model, input)?,
        Engine::Compiled => compiled(args, &model, input)?,
        Engine::Eager => eager(args, &model, input)?,
    };
    if let (Some(path), Some(profile)) = (&args.roofline, &report.profile) {
        profile.draw(model.name, path)?;
    }
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
        return Ok(());
    }
    let images = args.batch as f64 * 1e3 / report.median_ms;
    writeln!(
        out,
        "{}, batch {}, {} thread{}, {}: {:.3} ms, the median of {} runs ({:.3} ms the fastest), {images:.1} images/s",
        report.name,
        report.batch,
        report.threads,
        if report.threads == 1 { "" } else { "s" },
        report.isa.or(report.device).unwrap_or(report.engine),
        report.median_ms,
        report.runs,
        report.fastest_ms,
    )?;
    if let Some(profile) = &report.profile {
        write!(out, "\n{profile}")?;
    }
    Ok(())
}

/// An error for a batch whose maps the allocator refuses.
fn must_fit(model: &Model, batch: usize) -> Result<(), CliError> {
    let image = model.summary(model.classes, model.input.shape(), false)?;
    let bytes = image.activation_bytes.saturating_mul(batch as u64);
    let mut maps: Vec<u8> = Vec::new();
    match maps.try_reserve_exact(usize::try_from(bytes).unwrap_or(usize::MAX)) {
        Ok(()) => Ok(()),
        Err(_) => Err(CliError::Batch { batch, bytes }),
    }
}

fn compiled(args: &BenchArgs, model: &Model, input: [usize; 4]) -> Result<Report, CliError> {
    let options = engine::options(&args.compute.tuning, args.batch, args.compute.threads);
    let graph = model.graph(model.classes, input, false)?;
    let mut compiled =
        Compiled::random(graph, SEED, &options).map_err(|source| model.uncompiled(source))?;
    let images = noise(input.iter().product());
    let mut logits = vec![0.0; args.batch * model.classes];
    let times = time(args.seconds, || {
        compiled
            .run_into(&images, &mut [&mut logits])
            .map_err(|error| CliError::Compute(error.to_string()))
    })?;
    let profile = args
        .profile
        .then(|| Profile::measure(&mut compiled, &images, &mut logits, times.len()))
        .transpose()?;
    let (isa, threads) = (compiled.isa().name(), compiled.threads());
    Ok(Report {
        isa: Some(isa),
        profile,
        ..report(model, args, "compiled", threads, &times)
    })
}

fn eager(args: &BenchArgs, model: &Model, input: [usize; 4]) -> Result<Report, CliError> {
    engine::limit_threads(args.compute.threads);
    let device = device::open(args.compute.device)?;
    let network = model.fresh(&device)?;
    let images = Tensor::<4>::from_data(
        TensorData::new(noise(input.iter().product()), input),
        &device,
    );
    let times = time(args.seconds, || {
        // Burn reads lazily: only who takes the numbers waits for a device.
        network
            .forward(images.clone())
            .try_into_vec_as::<f32>()
            .map(drop)
            .map_err(|error| CliError::Compute(error.to_string()))
    })?;
    Ok(Report {
        device: Some(device::chosen(args.compute.device).name()),
        ..report(model, args, "eager", backend_threads(args), &times)
    })
}

/// How many threads Burn's processor backends use.
fn backend_threads(args: &BenchArgs) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, |cores| cores.get());
    args.compute.threads.unwrap_or_else(cores)
}

fn report(
    model: &Model,
    args: &BenchArgs,
    engine: &'static str,
    threads: usize,
    times: &[Duration],
) -> Report {
    Report {
        name: model.name,
        batch: args.batch,
        threads,
        engine,
        isa: None,
        device: None,
        median_ms: milliseconds(median(times)),
        fastest_ms: milliseconds(times[0]),
        runs: times.len(),
        profile: None,
    }
}

/// The times of all the runs that begin within `seconds`, the fastest first; two before them warm the
/// caches.
fn time(
    seconds: f64,
    mut run: impl FnMut() -> Result<(), CliError>,
) -> Result<Vec<Duration>, CliError> {
    run()?;
    run()?;
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut times = Vec::new();
    while times.len() < FEWEST_RUNS || Instant::now() < end {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

/// Values between -1 and 1 that look like noise: the fractions of multiples of the golden ratio.
fn noise(len: usize) -> Vec<f32> {
    (0..len)
        .map(|i| ((i as f64 * 0.618_033_988_749_894_9).fract() * 2.0 - 1.0) as f32)
        .collect()
}
