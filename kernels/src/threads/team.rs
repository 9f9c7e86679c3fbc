//! Fork-join parallelism for work that is not a plan.

use std::ops::Range;

use super::partition::partition_range;
use super::pool::ThreadPool;

/// One of the equal parts that the work of a team is divided into.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TeamPart {
    /// Index of this part, from 0.
    pub part: usize,
    /// Number of parts.
    pub parts: usize,
}

impl TeamPart {
    /// The range of `0..units` that belongs to this part in a static partition.
    pub fn static_range(&self, units: usize) -> Range<usize> {
        partition_range(units, self.parts, self.part)
    }
}

/// Calls `work` once for each part, on a team of `threads` threads, or on the calling thread alone
/// while another caller holds the pool. Results must not depend on the number of parts.
pub(crate) fn run_team(threads: usize, work: &(dyn Fn(TeamPart) + Sync)) {
    run_team_phases(threads, std::iter::once(()), |part, &()| work(part));
}

/// Calls `work` once for each phase and part, like [`run_team`]. All parts of a phase are finished
/// before the next phase begins.
pub(crate) fn run_team_phases<P: Send + Sync>(
    threads: usize,
    phases: impl Iterator<Item = P> + Send,
    work: impl Fn(TeamPart, &P) + Sync,
) {
    let pool = (threads > 1).then(|| ThreadPool::shared(threads));
    let Some(team) = pool.as_ref().and_then(|pool| pool.try_lock()) else {
        return phases.for_each(|phase| work(TeamPart { part: 0, parts: 1 }, &phase));
    };
    // Each thread owns the part of its index, and steals the parts of threads that come late.
    let parts = team.threads();
    team.run(phases.map(|phase| (1, phase)), |thread, phase, ranges| {
        for part in (thread..parts).chain(0..thread) {
            if ranges[0].claim(part, part == thread, 1, 1).is_some() {
                work(TeamPart { part, parts }, phase);
            }
        }
    });
}
