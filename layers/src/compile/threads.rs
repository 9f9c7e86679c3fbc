//! How many threads run a network.

/// Multiply-adds of an image from which waking other threads is worth while.
const MANY: u64 = 3_000_000;

/// As many threads as are asked for, or else as a network of so many multiply-adds for each image keeps
/// busy: the physical cores that this process may use, or one.
pub(super) fn threads(asked: Option<usize>, multiply_adds: u64) -> usize {
    match asked {
        Some(threads) => threads.max(1),
        None if multiply_adds < MANY => 1,
        None => cores(),
    }
}

/// The physical cores that this process may use.
pub(super) fn cores() -> usize {
    let allowed = std::thread::available_parallelism().map_or(1, usize::from);
    num_cpus::get_physical().clamp(1, allowed)
}
