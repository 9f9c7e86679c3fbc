//! The result of a measurement, as text and as JSON.

use std::fmt;

use serde::Serialize;

use super::timing::{Timing, WarmUp};
use crate::device::DeviceName;
use crate::profile::{Profile, median, milliseconds};

/// Tuning of the kernels of a GPU backend. Every GPU feature of this program turns both on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct KernelTuning {
    /// Whether the first call of an operation with new shapes times its kernels and keeps the
    /// fastest.
    pub autotune: bool,
    /// Whether chains of elementwise operations are compiled into one kernel.
    pub fusion: bool,
}

impl KernelTuning {
    /// The tuning of the kernels of a device; `None` for a CPU.
    pub(super) fn of(device: DeviceName) -> Option<Self> {
        device.is_gpu().then_some(Self {
            autotune: true,
            fusion: true,
        })
    }
}

/// The result of a measurement.
#[derive(Serialize)]
pub(super) struct TimingReport {
    /// Name of the network.
    pub name: String,
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
    /// Tuning of the kernels of a GPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tuning: Option<KernelTuning>,
    /// Time to record the network or to read the file, and to compile it, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_ms: Option<f64>,
    /// Runs before the measurement.
    pub warm_up: WarmUp,
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
    /// Creates a report of `timing`, without instruction set, device, tuning, loading time and profile.
    pub(super) fn new(
        name: &str,
        batch: usize,
        engine: &'static str,
        threads: usize,
        timing: &Timing,
    ) -> Self {
        let times = &timing.times;
        Self {
            name: name.to_owned(),
            batch,
            threads,
            engine,
            isa: None,
            device: None,
            tuning: None,
            load_ms: None,
            warm_up: timing.warm_up,
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
        if self.tuning.is_some() {
            let WarmUp { runs, seconds } = self.warm_up;
            writeln!(
                f,
                "autotune and fusion on: kernels were compiled and tuned for these shapes in {runs} warm-up runs, {seconds:.1} s"
            )?;
        }
        if let Some(profile) = &self.profile {
            write!(f, "\n{profile}")?;
        }
        Ok(())
    }
}
