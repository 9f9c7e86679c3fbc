//! Where a compiled network's time goes, layer by layer.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use receptive_layers::compile::{Compiled, Machine};
use serde::Serialize;

use crate::error::CliError;
use crate::roofline;

/// What each step of a compiled network takes, and what the machine could do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    /// The roof.
    pub machine: Machine,
    /// In the order in which they run.
    pub steps: Vec<StepProfile>,
}

/// What a step takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepProfile {
    /// The layer.
    pub name: String,
    /// What computes it.
    pub algorithm: String,
    /// Milliseconds of one run, the median of all.
    pub ms: f64,
    /// Multiply-adds of the layer, by its definition.
    pub multiply_adds: u64,
    /// Bytes of its maps and packed weights, each moved once.
    pub bytes: u64,
}

impl StepProfile {
    /// Billions of floating point operations a second, a multiply-add counted as two.
    pub fn gflops(&self) -> f64 {
        2.0 * self.multiply_adds as f64 / self.ms / 1e6
    }

    /// Floating point operations for each byte moved.
    pub fn intensity(&self) -> f64 {
        2.0 * self.multiply_adds as f64 / self.bytes as f64
    }
}

/// The middle of the times, which a run that had to wait does not move.
///
/// # Panics
///
/// Where there are none.
pub fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[times.len() / 2]
}

/// A time in milliseconds.
pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

impl Profile {
    /// The median times of `runs` runs.
    pub fn measure(
        compiled: &mut Compiled,
        images: &[f32],
        logits: &mut [f32],
        runs: usize,
    ) -> Result<Self, CliError> {
        let machine = Machine::measure(compiled.isa(), compiled.threads());
        let mut all = vec![Vec::new(); compiled.steps().len()];
        for _ in 0..runs {
            let mut times = vec![Duration::ZERO; all.len()];
            compiled
                .profile(images, &mut [&mut *logits], &mut times)
                .map_err(|error| CliError::Compute(error.to_string()))?;
            std::iter::zip(&mut all, times).for_each(|(all, time)| all.push(time));
        }
        let steps = compiled
            .steps()
            .iter()
            .zip(&all)
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

    /// Draws it as a roofline; the file is there whole or not at all.
    pub fn draw(&self, title: &str, path: &Path) -> Result<(), CliError> {
        roofline::draw(self, title)
            .and_then(|svg| roofline::write(&svg, path))
            .map_err(|message| CliError::Drawing {
                path: path.to_owned(),
                message,
            })
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
            "\n{total:.3} ms in all, the sum of the medians. This machine: {:.1} GFLOP/s in cache, {:.1} GB/s from memory.\n\
             Above 100 % is Winograd's algorithm, which does less than the layer's definition says.",
            self.machine.flops / 1e9,
            self.machine.bandwidth / 1e9
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_waited_moves_no_median() {
        let times = [4, 2, 12_000, 3, 2].map(Duration::from_micros);
        assert_eq!(milliseconds(median(&times)), 0.003);
    }
}
