//! Choice of an algorithm for each convolution by measurement.

use std::time::Duration;

use receptive_kernels::cpu::{Algorithm, Buffer};
use receptive_kernels::plan::Plan;

use super::choose::{Choice, Target};
use super::error::CompileError;
use super::lower::lower;
use super::net::Net;

/// Number of runs of each program after the first. The minimum of a step's times counts.
const RUNS: usize = 5;

/// Returns the fastest algorithm of each convolution; `None` for other layers.
///
/// The whole network runs with the first candidate of every convolution, then with the second
/// candidates, and so on. Each layer is therefore timed with the cache state that the other layers
/// leave.
pub(super) fn measured(
    net: &Net,
    choices: &[Choice],
    target: Target,
) -> Result<Vec<Option<Algorithm>>, CompileError> {
    let trials = choices.iter().map(|choice| choice.candidates.len()).max();
    let mut best: Vec<(Duration, Option<Algorithm>)> =
        vec![(Duration::MAX, None); net.layers.len()];
    for trial in 0..trials.unwrap_or(0) {
        let mut algorithms = vec![None; net.layers.len()];
        for choice in choices {
            let last = choice.candidates.len() - 1;
            algorithms[choice.layer] = Some(choice.candidates[trial.min(last)]);
        }
        let times = times(net, &algorithms, target)?;
        for (layer, best) in best.iter_mut().enumerate() {
            if times[layer] < best.0 {
                *best = (times[layer], algorithms[layer]);
            }
        }
    }
    Ok(best.into_iter().map(|(_, algorithm)| algorithm).collect())
}

/// Returns the minimum time of each convolution; `Duration::MAX` for other layers.
fn times(
    net: &Net,
    algorithms: &[Option<Algorithm>],
    target: Target,
) -> Result<Vec<Duration>, CompileError> {
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
    let mut best = vec![Duration::MAX; steps];
    for _ in 0..=RUNS {
        let mut times = vec![Duration::ZERO; steps];
        let mut slices: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        plan.profile(&input, &mut slices, &mut times)
            .expect("slices of the program's lengths");
        for (best, time) in best.iter_mut().zip(times) {
            *best = time.min(*best);
        }
    }
    let mut times = vec![Duration::MAX; net.layers.len()];
    for (step, layer) in weighted {
        times[layer] = best[step];
    }
    Ok(times)
}
