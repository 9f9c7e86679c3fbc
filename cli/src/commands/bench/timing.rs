//! The measurement loop, and its synthetic images.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::device::DeviceName;
use crate::error::CliError;

/// Smallest number of timed runs, even if they take longer than the requested duration.
const MIN_RUNS: usize = 5;

/// Largest number of warm-up runs on a GPU.
const MAX_WARM_UP_RUNS: usize = 50;

/// Shortest time of a warm-up run over the fastest one before it at which the times are steady.
const STEADY: f64 = 0.9;

/// The runs before the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct WarmUp {
    /// Number of runs.
    pub runs: usize,
    /// Time of all runs, in seconds.
    pub seconds: f64,
}

/// The times of a measurement.
#[derive(Debug)]
pub(super) struct Timing {
    /// Times of the runs in ascending order, at least [`MIN_RUNS`].
    pub times: Vec<Duration>,
    /// The runs before them.
    pub warm_up: WarmUp,
}

/// Times every run that starts within `seconds`, after [`warm_up`] on `device`; `None` is the
/// compiled engine.
///
/// # Errors
///
/// The error of the first run that fails.
pub(super) fn time_runs(
    seconds: f64,
    device: Option<DeviceName>,
    mut run: impl FnMut() -> Result<(), CliError>,
) -> Result<Timing, CliError> {
    let mut timed = || -> Result<Duration, CliError> {
        let start = Instant::now();
        run()?;
        Ok(start.elapsed())
    };
    let warm_up = warm_up(device.is_some_and(DeviceName::is_gpu), &mut timed)?;
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut times = Vec::new();
    while times.len() < MIN_RUNS || Instant::now() < end {
        times.push(timed()?);
    }
    times.sort_unstable();
    Ok(Timing { times, warm_up })
}

/// Runs before a measurement: two runs on a CPU. A GPU compiles, tunes and fuses kernels in its
/// first runs, so there the runs go on until two in a row are at least 0.9 times as long as the
/// fastest run before them.
fn warm_up(
    gpu: bool,
    run: &mut impl FnMut() -> Result<Duration, CliError>,
) -> Result<WarmUp, CliError> {
    let mut total = Duration::ZERO;
    let mut fastest: Option<Duration> = None;
    let (mut runs, mut steady) = (0, 0);
    while runs < 2 || gpu && steady < 2 && runs < MAX_WARM_UP_RUNS {
        let time = run()?;
        let is_steady = fastest.is_some_and(|fastest| time >= fastest.mul_f64(STEADY));
        steady = if is_steady { steady + 1 } else { 0 };
        fastest = Some(fastest.map_or(time, |fastest| fastest.min(time)));
        total += time;
        runs += 1;
    }
    Ok(WarmUp {
        runs,
        seconds: total.as_secs_f64(),
    })
}

/// Returns `len` pseudo-random values from -1 to 1: the fractional parts of multiples of the golden
/// ratio.
pub(super) fn noise(len: usize) -> Vec<f32> {
    (0..len)
        .map(|i| ((i as f64 * 0.618_033_988_749_894_9).fract() * 2.0 - 1.0) as f32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Warms up with runs of these milliseconds; the last one repeats.
    fn warmed(gpu: bool, milliseconds: &[u64]) -> WarmUp {
        let mut times = milliseconds.iter().copied();
        let last = milliseconds[milliseconds.len() - 1];
        let mut run = || Ok(Duration::from_millis(times.next().unwrap_or(last)));
        warm_up(gpu, &mut run).expect("no run fails")
    }

    #[test]
    fn a_cpu_warms_up_in_two_runs() {
        let expected = WarmUp {
            runs: 2,
            seconds: 0.75,
        };
        assert_eq!(warmed(false, &[500, 250, 125]), expected);
    }

    #[test]
    fn a_gpu_warms_up_until_its_runs_are_steady() {
        let expected = WarmUp {
            runs: 6,
            seconds: 60.23,
        };
        assert_eq!(warmed(true, &[40_000, 20_000, 100, 50, 50, 30]).runs, 8);
        assert_eq!(warmed(true, &[40_000, 20_000, 100, 50, 40, 40]).runs, 7);
        assert_eq!(warmed(true, &[40_000, 20_000, 90, 50, 46, 44]), expected);
    }

    #[test]
    fn the_warm_up_of_a_gpu_ends_when_its_runs_never_become_steady() {
        let faster: Vec<u64> = (0..60).map(|run| 1 << (60 - run)).collect();
        assert_eq!(warmed(true, &faster).runs, MAX_WARM_UP_RUNS);
    }
}
