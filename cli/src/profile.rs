//! Time of every step of a compiled network, compared with the peak of the machine.

use std::fmt;
use std::time::Duration;

use receptive_layers::compile::{Compiled, Machine};
use serde::Serialize;

use crate::error::CliError;

/// Measured time of every step of a compiled network, and the measured peaks of the machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    /// Peak arithmetic throughput and memory bandwidth.
    pub machine: Machine,
    /// Steps in execution order.
    pub steps: Vec<StepProfile>,
}

/// Time and cost of one step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepProfile {
    /// Name of the layer.
    pub name: String,
    /// Name of the algorithm.
    pub algorithm: String,
    /// Median time of a run, in milliseconds.
    pub ms: f64,
    /// Multiply-adds of the layer's definition, whatever the algorithm computes.
    pub multiply_adds: u64,
    /// Bytes of the feature maps and packed weights, each counted once.
    pub bytes: u64,
}

impl StepProfile {
    /// Throughput in billions of floating-point operations per second; a multiply-add counts as
    /// two.
    pub fn gflops(&self) -> f64 {
        2.0 * self.multiply_adds as f64 / self.ms / 1e6
    }

    /// Arithmetic intensity in floating-point operations per byte.
    pub fn intensity(&self) -> f64 {
        2.0 * self.multiply_adds as f64 / self.bytes as f64
    }
}

/// Median of `times`.
///
/// # Panics
///
/// If `times` is empty.
pub fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[times.len() / 2]
}

/// Converts a time to milliseconds.
pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

impl Profile {
    /// Measures the peaks of the machine, and the median time of every step in `runs` runs.
    ///
    /// # Errors
    ///
    /// [`CliError::Compute`] when a run fails.
    pub fn measure(
        compiled: &mut Compiled,
        images: &[f32],
        outputs: &mut [&mut [f32]],
        runs: usize,
    ) -> Result<Self, CliError> {
        let machine = Machine::measure(compiled.isa(), compiled.threads());
        let mut times_of_steps = vec![Vec::new(); compiled.steps().len()];
        for _ in 0..runs {
            let mut times = vec![Duration::ZERO; times_of_steps.len()];
            compiled
                .profile(images, outputs, &mut times)
                .map_err(|error| CliError::Compute(error.to_string()))?;
            std::iter::zip(&mut times_of_steps, times).for_each(|(all, time)| all.push(time));
        }
        let steps = compiled
            .steps()
            .iter()
            .zip(&times_of_steps)
            .map(|(step, times)| StepProfile {
                name: step.name.clone(),
                algorithm: step.algorithm.clone(),
                ms: milliseconds(median(times)),
                multiply_adds: step.multiply_adds,
                bytes: step.bytes,
            })
            .collect();
        Ok(Self { machine, steps })
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: f64 = self.steps.iter().map(|step| step.ms).sum();
        let name = self
            .steps
            .iter()
            .map(|s| s.name.len())
            .max()
            .unwrap_or(0)
            .max(5);
        let algorithm = self
            .steps
            .iter()
            .map(|s| s.algorithm.len())
            .max()
            .unwrap_or(0)
            .max(9);
        writeln!(
            f,
            "{:name$}  {:algorithm$}  {:>9} {:>6} {:>9} {:>7} {:>9} {:>7}",
            "layer", "algorithm", "ms", "time", "GFLOP/s", "peak", "MB", "GB/s"
        )?;
        for step in &self.steps {
            let gflops = step.gflops();
            writeln!(
                f,
                "{:name$}  {:algorithm$}  {:>9.4} {:>4.1} % {:>9.1} {:>5.0} % {:>9.3} {:>7.1}",
                step.name,
                step.algorithm,
                step.ms,
                100.0 * step.ms / total,
                gflops,
                100e9 * gflops / self.machine.flops,
                step.bytes as f64 / 1e6,
                step.bytes as f64 / step.ms / 1e6,
            )?;
        }
        writeln!(
            f,
            "\n{total:.3} ms in total, the sum of the medians. Peak of this machine: {:.1} GFLOP/s in cache, {:.1} GB/s from memory.\n\
             GFLOP/s count the operations of direct convolution; Winograd's algorithm does fewer and can exceed 100 % of the peak.",
            self.machine.flops / 1e9,
            self.machine.bandwidth / 1e9
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outlier_does_not_change_the_median() {
        let times = [4, 2, 12_000, 3, 2].map(Duration::from_micros);
        assert_eq!(milliseconds(median(&times)), 0.003);
    }
}
