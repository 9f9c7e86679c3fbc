//! The measurement loop, and its synthetic images.

use std::time::{Duration, Instant};

use crate::error::CliError;

/// Smallest number of timed runs, even if they take longer than the requested duration.
const MIN_RUNS: usize = 5;

/// Times every run that starts within `seconds`, after two warm-up runs. Returns the times in
/// ascending order, at least [`MIN_RUNS`].
///
/// # Errors
///
/// The error of the first run that fails.
pub(super) fn time_runs(
    seconds: f64,
    mut run: impl FnMut() -> Result<(), CliError>,
) -> Result<Vec<Duration>, CliError> {
    run()?;
    run()?;
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut times = Vec::new();
    while times.len() < MIN_RUNS || Instant::now() < end {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

/// Returns `len` pseudo-random values from -1 to 1: the fractional parts of multiples of the golden
/// ratio.
pub(super) fn noise(len: usize) -> Vec<f32> {
    (0..len)
        .map(|i| ((i as f64 * 0.618_033_988_749_894_9).fract() * 2.0 - 1.0) as f32)
        .collect()
}

/// Number of threads of Burn's CPU backends: `limit`, or else the number of cores.
pub(super) fn backend_threads(limit: Option<usize>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, |cores| cores.get());
    limit.unwrap_or_else(cores)
}
