//! The result of a measurement, as text and as JSON.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::args::BenchArgs;
use crate::profile::{Profile, median, milliseconds};
use crate::registry::Model;

/// The result of a measurement.
#[derive(Serialize)]
pub(super) struct TimingReport {
    /// Name of the network.
    pub name: &'static str,
    /// Number of images in a batch.
    pub batch: usize,
    /// Number of threads.
    pub threads: usize,
    /// `compiled`, `eager` or `training`.
    pub engine: &'static str,
    /// Instruction set of the compiled engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isa: Option<&'static str>,
    /// Burn backend of the eager engine and of training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<&'static str>,
    /// Median time of a run, in milliseconds.
    pub median_ms: f64,
    /// Shortest time of a run, in milliseconds.
    pub fastest_ms: f64,
    /// Number of timed runs.
    pub runs: usize,
    /// Time of every step, with `--profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
}

impl TimingReport {
    /// Creates a report from `times` in ascending order, without instruction set, device and
    /// profile.
    pub(super) fn new(
        model: &Model,
        args: &BenchArgs,
        engine: &'static str,
        threads: usize,
        times: &[Duration],
    ) -> Self {
        Self {
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
}

impl fmt::Display for TimingReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let images_per_second = self.batch as f64 * 1e3 / self.median_ms;
        writeln!(
            f,
            "{}, batch {}, {} thread{}, {}: median {:.3} ms of {} runs (fastest {:.3} ms), {images_per_second:.1} images/s",
            self.name,
            self.batch,
            self.threads,
            if self.threads == 1 { "" } else { "s" },
            self.isa.or(self.device).unwrap_or(self.engine),
            self.median_ms,
            self.runs,
            self.fastest_ms,
        )?;
        if let Some(profile) = &self.profile {
            write!(f, "\n{profile}")?;
        }
        Ok(())
    }
}
