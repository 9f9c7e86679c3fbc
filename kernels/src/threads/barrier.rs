//! Barrier for the threads of a team. Waiting threads spin first, then yield their core.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Iterations that a waiting thread spins before it yields its core: some tenths of a
/// millisecond.
pub(crate) const SPINS: usize = 1 << 14;

/// Blocks until `done` returns true.
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

/// Reusable barrier that a panicking thread can break.
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

    /// Number of threads that must arrive.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Blocks until all threads have arrived or a thread broke the barrier. Returns `false` if it
    /// is broken.
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

    /// Releases all waiting threads, now and in future, because this thread will never arrive.
    pub fn break_up(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }
}

/// Breaks the barrier on drop, that is, when its thread panics; a thread that succeeds forgets the
/// guard.
pub(crate) struct BarrierGuard<'a>(pub &'a Barrier);

impl Drop for BarrierGuard<'_> {
    fn drop(&mut self) {
        self.0.break_up();
    }
}
