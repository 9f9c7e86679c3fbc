//! Barrier of the threads of a team: spins first, then yields the core.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// How often a waiting thread looks before it gives its core away: for some tenths of a millisecond.
pub(crate) const SPINS: usize = 1 << 14;

/// Waits, at first without giving the core away.
pub(crate) fn wait(done: impl Fn() -> bool) {
    let mut spins = 0;
    while !done() {
        spins += 1;
        if spins < SPINS {
            std::hint::spin_loop();
        } else {
            thread::yield_now();
        }
    }
}

/// Where the threads of a run wait for each other between steps.
pub(crate) struct Barrier {
    threads: usize,
    arrived: AtomicUsize,
    generation: AtomicUsize,
    broken: AtomicBool,
}

impl Barrier {
    pub fn new(threads: usize) -> Self {
        Self {
            threads,
            arrived: AtomicUsize::new(0),
            generation: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
        }
    }

    /// How many threads it holds together.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Returns when all threads have come, or one has broken it: then `false`.
    pub fn wait(&self) -> bool {
        let generation = self.generation.load(Ordering::Relaxed);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            self.arrived.store(0, Ordering::Relaxed);
            self.generation.fetch_add(1, Ordering::Release);
        } else {
            wait(|| {
                self.generation.load(Ordering::Acquire) != generation
                    || self.broken.load(Ordering::Relaxed)
            });
        }
        !self.broken.load(Ordering::Relaxed)
    }

    /// Lets all go on, when this thread never comes.
    pub fn break_up(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }
}

/// Lets the other threads go on, when dropped.
pub(crate) struct BarrierGuard<'a>(pub &'a Barrier);

impl Drop for BarrierGuard<'_> {
    fn drop(&mut self) {
        self.0.break_up();
    }
}
