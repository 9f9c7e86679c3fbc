//! Number of threads that run a network.

/// Smallest multiply-adds per image for which several threads are faster than one.
const MIN_PARALLEL_FMAS: u64 = 3_000_000;

/// Returns the number of threads for a network of `multiply_adds` per image: `requested` (at least
/// 1), or by default one thread for a small network and all physical cores for a larger one.
pub(super) fn threads(requested: Option<usize>, multiply_adds: u64) -> usize {
    match requested {
        Some(threads) => threads.max(1),
        None if multiply_adds < MIN_PARALLEL_FMAS => 1,
        None => physical_cores(),
    }
}

/// Returns the number of physical cores that this process may use.
fn physical_cores() -> usize {
    let allowed = std::thread::available_parallelism().map_or(1, usize::from);
    num_cpus::get_physical().clamp(1, allowed)
}
