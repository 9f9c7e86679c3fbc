//! Fork-join parallelism for work that is not a plan.

use std::ops::Range;

use super::barrier::{Barrier, BarrierGuard};
use super::partition::partition_range;
use super::pool::ThreadPool;

/// One thread of a team, as the closure of [`run_team`] sees it.
pub(crate) struct TeamThread<'a> {
    /// Index of this thread, from 0.
    pub thread: usize,
    /// Number of threads in the team.
    pub threads: usize,
    barrier: &'a Barrier,
}

impl TeamThread<'_> {
    /// Waits until every thread of the team has called `wait`.
    ///
    /// # Panics
    ///
    /// When another thread of the team panicked.
    pub fn wait(&self) {
        assert!(self.barrier.wait(), "a thread of the pool panicked");
    }

    /// The range of `0..units` that belongs to this thread in a static partition.
    pub fn static_range(&self, units: usize) -> Range<usize> {
        partition_range(units, self.threads, self.thread)
    }
}

/// Runs `work` on a team of `threads` threads, or on the calling thread alone while another caller
/// holds the pool. Results must not depend on the number of threads.
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
        // Releases the other threads if this one panics.
        let guard = BarrierGuard(&barrier);
        work(&TeamThread {
            thread,
            threads: barrier.threads(),
            barrier: &barrier,
        });
        std::mem::forget(guard);
    });
}
