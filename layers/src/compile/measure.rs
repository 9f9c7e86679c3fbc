//! Choice of an algorithm for each convolution by measurement.

use std::time::Duration;

use receptive_kernels::cpu::{Algorithm, Buffer, ConvWorkload};
use receptive_kernels::plan::Plan;

use super::choose::{Choice, Target};
use super::error::CompileError;
use super::lower::lower;
use super::net::Net;

/// Number of runs of each program after a first one. The median of a step's times counts: the calling
/// thread keeps the times, and when the operating system delays it, the others compute its part of a
/// step before it starts the clock, so that the minimum may be far too small.
const RUNS: usize = 7;

/// Measured times of a network's steps, every convolution with each of its algorithms.
#[derive(Debug, Clone)]
pub struct Measurements {
    /// The convolutions in execution order.
    pub convolutions: Vec<MeasuredConvolution>,
    /// Median time of all other steps together.
    pub other: Duration,
}

/// Measured times of a convolution in its network.
#[derive(Debug, Clone)]
pub struct MeasuredConvolution {
    /// Name of the layer.
    pub name: String,
    /// The convolution as the cost model sees it.
    pub workload: ConvWorkload,
    /// Median time with each algorithm, in the order of the candidates.
    pub times: Vec<(Algorithm, Duration)>,
}

/// Returns the fastest algorithm of each convolution; `None` for other layers.
pub(super) fn measured(
    net: &Net,
    choices: &[Choice],
    target: Target,
) -> Result<Vec<Option<Algorithm>>, CompileError> {
    let measurements = measure(net, choices, target)?;
    let mut algorithms = vec![None; net.layers.len()];
    for (choice, convolution) in choices.iter().zip(measurements.convolutions) {
        let fastest = convolution.times.into_iter().min_by_key(|&(_, time)| time);
        algorithms[choice.layer] = fastest.map(|(algorithm, _)| algorithm);
    }
    Ok(algorithms)
}

/// Measures every convolution with each of its candidates.
///
/// The whole network runs with the first candidate of every convolution, then with the second
/// candidates, and so on. Each layer is therefore timed with the cache state that the other layers
/// leave.
pub(super) fn measure(
    net: &Net,
    choices: &[Choice],
    target: Target,
) -> Result<Measurements, CompileError> {
    let trials = choices.iter().map(|choice| choice.candidates.len()).max();
    let mut convolutions: Vec<MeasuredConvolution> = (choices.iter())
        .map(|choice| MeasuredConvolution {
            name: net.layers[choice.layer].name.clone(),
            workload: choice.workload,
            times: Vec::new(),
        })
        .collect();
    let mut other = Duration::MAX;
    for trial in 0..trials.unwrap_or(0) {
        let mut algorithms = vec![None; net.layers.len()];
        for choice in choices {
            let last = choice.candidates.len() - 1;
            algorithms[choice.layer] = Some(choice.candidates[trial.min(last)]);
        }
        let (times, rest) = times(net, choices, &algorithms, target)?;
        other = other.min(rest);
        for ((choice, convolution), time) in choices.iter().zip(&mut convolutions).zip(times) {
            if let Some(&algorithm) = choice.candidates.get(trial) {
                convolution.times.push((algorithm, time));
            } else if let Some((_, last)) = convolution.times.last_mut() {
                *last = time.min(*last);
            }
        }
    }
    Ok(Measurements {
        convolutions,
        other,
    })
}

/// Returns the median time of each convolution, and of all other steps together.
fn times(
    net: &Net,
    choices: &[Choice],
    algorithms: &[Option<Algorithm>],
    target: Target,
) -> Result<(Vec<Duration>, Duration), CompileError> {
    let lowered = lower(net, algorithms, target);
    let mut weights = Buffer::zeroed(lowered.program.weights);
    // Writes the zeros: the operating system maps unwritten zero pages to one physical page, which
    // would always be cached.
    weights.fill(0.0);
    let steps = lowered.program.steps.len();
    let outputs: Vec<usize> = (lowered.program.outputs.iter())
        .map(|shape| target.batch * shape.iter().product::<usize>())
        .collect();
    let input = vec![0.0; target.batch * lowered.program.input.iter().product::<usize>()];
    let weighted = lowered.weighted_steps();
    let mut plan = Plan::new(lowered.program, weights, target.threads)?;
    let mut outputs: Vec<Vec<f32>> = outputs.into_iter().map(|len| vec![0.0; len]).collect();
    let mut samples = vec![Vec::with_capacity(RUNS); steps];
    for run in 0..=RUNS {
        let mut times = vec![Duration::ZERO; steps];
        let mut slices: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        plan.profile(&input, &mut slices, &mut times)
            .expect("slices of the program's lengths");
        if run > 0 {
            for (samples, time) in samples.iter_mut().zip(times) {
                samples.push(time);
            }
        }
    }
    let medians: Vec<Duration> = (samples.iter_mut())
        .map(|samples| {
            samples.sort_unstable();
            samples[RUNS / 2]
        })
        .collect();
    let mut rest: Duration = medians.iter().sum();
    let mut by_layer = vec![Duration::MAX; net.layers.len()];
    for (step, layer) in weighted {
        by_layer[layer] = medians[step];
    }
    let times: Vec<Duration> = choices
        .iter()
        .map(|choice| by_layer[choice.layer])
        .collect();
    for time in &times {
        rest = rest.saturating_sub(*time);
    }
    Ok((times, rest))
}
