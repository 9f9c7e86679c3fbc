//! Choosing algorithms by the clock.

use std::time::Duration;

use receptive_kernels::cpu::{Algorithm, Buffer};
use receptive_kernels::plan::Plan;

use super::choose::{Choice, Target};
use super::error::CompileError;
use super::lower::lower;
use super::net::Net;

/// Runs of each program; the fastest of a step's times counts.
const RUNS: usize = 5;

/// The fastest algorithm of each layer. The whole network runs with the first candidate of every
/// convolution, then with the second, and so on: each layer is timed where it will run, with its
/// weights and maps as far away as the others leave them.
pub(super) fn measured(
    net: &Net,
    choices: &[Choice],
    target: Target,
) -> Result<Vec<Option<Algorithm>>, CompileError> {
    let rounds = choices.iter().map(|choice| choice.candidates.len()).max();
    let mut best: Vec<(Duration, Option<Algorithm>)> =
        vec![(Duration::MAX, None); net.layers.len()];
    for round in 0..rounds.unwrap_or(0) {
        let mut algorithms = vec![None; net.layers.len()];
        for choice in choices {
            let last = choice.candidates.len() - 1;
            algorithms[choice.layer] = Some(choice.candidates[round.min(last)]);
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

/// The time of each layer's convolution.
fn times(
    net: &Net,
    algorithms: &[Option<Algorithm>],
    target: Target,
) -> Result<Vec<Duration>, CompileError> {
    let lowered = lower(net, algorithms, target);
    let mut weights = Buffer::zeroed(lowered.program.weights);
    // Zeros that were never written would all be one page of memory, and always in the cache.
    weights.fill(0.0);
    let steps = lowered.program.steps.len();
    let outputs: Vec<usize> = (lowered.program.outputs.iter())
        .map(|shape| target.batch * shape.iter().product::<usize>())
        .collect();
    let input = vec![0.0; target.batch * lowered.program.input.iter().product::<usize>()];
    let layer_steps = lowered.layer_steps();
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
    for (step, layer) in layer_steps {
        times[layer] = best[step];
    }
    Ok(times)
}
