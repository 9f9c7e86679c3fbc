//! Fork-join parallelism outside of plans.

use std::ops::Range;

use super::barrier::{Barrier, BarrierGuard};
use super::partition::share;
use super::pool::ThreadPool;

/// One thread of those that do something together.
pub(crate) struct TeamThread<'a> {
    /// This thread's number.
    pub thread: usize,
    /// How many threads there are.
    pub threads: usize,
    barrier: &'a Barrier,
}

impl TeamThread<'_> {
    /// Returns when all threads have come.
    ///
    /// # Panics
    ///
    /// When another thread panicked and never comes.
    pub fn wait(&self) {
        assert!(self.barrier.wait(), "a thread of the pool panicked");
    }

    /// This thread's share of `units` equal units.
    pub fn share(&self, units: usize) -> Range<usize> {
        share(units, self.threads, self.thread)
    }
}

/// Does `work` on `threads` threads, or on the caller's alone while another caller has them. What comes out
/// must not depend on how many there are.
pub(crate) fn run_team(threads: usize, work: &(dyn Fn(&TeamThread) + Sync)) {
    let pool = (threads > 1).then(|| ThreadPool::shared(threads));
    let Some(team) = pool.as_ref().and_then(|pool| pool.try_lock()) else {
        let barrier = Barrier::new(1);
        return work(&TeamThread {
            thread: 0,
            threads: 1,
            barrier: &barrier,
        });
    };
    let barrier = Barrier::new(team.threads());
    team.run(&|thread| {
        // Ends the others' waiting when this thread panics.
        let guard = BarrierGuard(&barrier);
        work(&TeamThread {
            thread,
            threads: barrier.threads(),
            barrier: &barrier,
        });
        std::mem::forget(guard);
    });
}
