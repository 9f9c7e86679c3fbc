//! Work stealing between the threads of a team.
//!
//! Each thread owns a range of units, the same in every run, so that data from the previous step is
//! still in its caches. A thread claims chunks from the front of its own range; when the range is
//! empty, the thread steals chunks from the backs of the other ranges. Cores differ in speed: by
//! design, because the host of a virtual machine interrupts them, or because another guest uses
//! their second hardware thread. Results do not depend on the thread that computes a unit.
//!
//! A chunk is half of the unclaimed units, but not less than a minimum (Polychronopoulos & Kuck,
//! "Guided Self-Scheduling", 1987).

use std::ops::Range;

use super::sync::{AtomicBool, AtomicU64, Ordering};

/// Work-stealing state of one step: the claimed units of every thread's range.
pub(crate) struct StealableRanges {
    claimed: Vec<Claimed>,
    #[cfg(test)]
    budget: Option<ChunkBudget>,
}

/// Claimed work of one thread. Each value has two cache lines of its own, since processors prefetch
/// lines in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Claimed {
    /// Units claimed from the front of the range and, in the upper 32 bits, from its back.
    units: AtomicU64,
    /// Whether the thread's range of the borders is claimed.
    border: AtomicBool,
}

impl StealableRanges {
    /// Unclaimed ranges of `threads` threads.
    pub fn new(threads: usize) -> Self {
        Self {
            claimed: (0..threads).map(|_| Claimed::default()).collect(),
            #[cfg(test)]
            budget: None,
        }
    }

    /// Makes the range of `owner` unclaimed again.
    #[inline]
    pub fn reset(&self, owner: usize) {
        self.claimed[owner].units.store(0, Ordering::Relaxed);
        self.claimed[owner].border.store(false, Ordering::Relaxed);
    }

    /// Claims the range of `owner` of the borders of the map that the step writes. `false` if it is
    /// claimed already.
    #[inline]
    pub fn claim_border(&self, owner: usize) -> bool {
        let border = &self.claimed[owner].border;
        !border.load(Ordering::Relaxed) && !border.swap(true, Ordering::Relaxed)
    }

    /// Claims a chunk of the range of `owner`, which has `len` units: from its front if the caller
    /// is the owner, otherwise from its back. The chunk has at least `min_chunk` units, or all that
    /// are left. `None` if the range is exhausted.
    #[inline]
    pub fn claim(
        &self,
        owner: usize,
        is_owner: bool,
        len: usize,
        min_chunk: usize,
    ) -> Option<Range<usize>> {
        #[cfg(test)]
        let min_chunk = match &self.budget {
            Some(budget) => budget.spend()?,
            None => min_chunk,
        };
        let claimed = &self.claimed[owner].units;
        let mut before = claimed.load(Ordering::Relaxed);
        loop {
            let (front, back) = (before as u32 as usize, (before >> 32) as usize);
            let left = len - front - back;
            if left == 0 {
                return None;
            }
            // A remainder that is smaller than a chunk joins the last chunk.
            let half = left.div_ceil(2).max(min_chunk);
            let chunk = if left.saturating_sub(half) < min_chunk {
                left
            } else {
                half
            };
            let (after, units) = match is_owner {
                true => (before + chunk as u64, front..front + chunk),
                false => (
                    before + ((chunk as u64) << 32),
                    len - back - chunk..len - back,
                ),
            };
            // Relaxed: the data that a chunk reads was published when the phase opened.
            match claimed.compare_exchange_weak(before, after, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return Some(units),
                Err(now) => before = now,
            }
        }
    }
}

/// Double-buffered work-stealing state: one buffer for the steps of the current phase, one for the
/// next phase.
///
/// While threads work on one phase, each thread that is done resets its own ranges of the next
/// phase, which no thread uses any more. The thread that closes the phase resets the ranges of threads
/// that did not come.
pub(crate) struct PhaseRanges([Vec<StealableRanges>; 2]);

impl PhaseRanges {
    /// Unclaimed ranges of `threads` threads for phases of up to `steps` steps.
    pub fn new(threads: usize, steps: usize) -> Self {
        Self([(); 2].map(|()| (0..steps).map(|_| StealableRanges::new(threads)).collect()))
    }

    /// Makes all ranges unclaimed. No thread may be at work.
    #[inline]
    pub fn reset(&self) {
        for ranges in self.0.iter().flatten() {
            (0..ranges.claimed.len()).for_each(|thread| ranges.reset(thread));
        }
    }

    /// Makes all ranges of the first `steps` steps of phase number `phase` unclaimed. No thread may be
    /// at work on this phase.
    pub fn reset_steps(&self, phase: usize, steps: usize) {
        for ranges in &self.of(phase)[..steps] {
            (0..ranges.claimed.len()).for_each(|thread| ranges.reset(thread));
        }
    }

    /// The ranges of the steps of phase number `phase`.
    #[inline]
    pub fn of(&self, phase: usize) -> &[StealableRanges] {
        &self.0[phase % 2]
    }
}

/// Number of chunks of one unit that the threads of a test may still claim.
#[cfg(test)]
struct ChunkBudget(AtomicU64);

#[cfg(test)]
impl ChunkBudget {
    fn spend(&self) -> Option<usize> {
        let spend = |left: u64| left.checked_sub(1);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend)
            .ok()?;
        Some(1)
    }
}

#[cfg(test)]
impl StealableRanges {
    /// Unclaimed ranges of threads that claim chunks of one unit, and only as many as
    /// [`allow`](Self::allow) says.
    pub fn with_budget(threads: usize) -> Self {
        Self {
            budget: Some(ChunkBudget(AtomicU64::new(0))),
            ..Self::new(threads)
        }
    }

    /// Allows `chunks` further claims.
    pub fn allow(&self, chunks: u64) {
        let budget = self.budget.as_ref().expect("created by `with_budget`");
        budget.0.store(chunks, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_unit_is_claimed_once(
            lens in prop::collection::vec(0_usize..100, 1..5),
            min_chunk in 1_usize..30,
            order in prop::collection::vec((0_usize..5, 0_usize..5), 0..200),
        ) {
            let ranges = StealableRanges::new(lens.len());
            let mut taken: Vec<Vec<bool>> = lens.iter().map(|&len| vec![false; len]).collect();
            let rest = (0..lens.len()).flat_map(|owner| vec![(owner, owner); 100]);
            for (thread, owner) in order.into_iter().chain(rest) {
                let owner = owner % lens.len();
                let Some(chunk) = ranges.claim(owner, thread == owner, lens[owner], min_chunk) else {
                    continue;
                };
                prop_assert!(chunk.len() >= min_chunk.min(lens[owner]));
                for unit in chunk {
                    prop_assert!(!std::mem::replace(&mut taken[owner][unit], true));
                }
            }
            prop_assert!(taken.iter().flatten().all(|&taken| taken));
            for (owner, &len) in lens.iter().enumerate() {
                prop_assert_eq!(ranges.claim(owner, true, len, min_chunk), None);
                ranges.reset(owner);
                prop_assert_eq!(ranges.claim(owner, false, len, len), (len > 0).then_some(0..len));
            }
        }
    }

    #[test]
    fn chunks_shrink() {
        let ranges = StealableRanges::new(1);
        let front = [16, 8, 4, 4].map(|chunk| (true, chunk));
        let mut at = 0;
        for (own, chunk) in front {
            assert_eq!(ranges.claim(0, own, 32, 3), Some(at..at + chunk));
            at += chunk;
        }
        assert_eq!(ranges.claim(0, true, 32, 3), None);
    }

    #[test]
    fn concurrent_threads_claim_every_unit_once() {
        const STEPS: usize = 3;
        let phases = PhaseRanges::new(3, STEPS);
        let taken: Vec<AtomicU64> = (0..3000).map(|_| AtomicU64::new(0)).collect();
        let barrier = std::sync::Barrier::new(3);
        std::thread::scope(|scope| {
            for thread in 0..3 {
                let (phases, taken, barrier) = (&phases, &taken, &barrier);
                scope.spawn(move || {
                    for phase in 0..50 {
                        for step in phases.of(phase) {
                            for owner in (0..3).map(|after| (thread + after) % 3) {
                                while let Some(chunk) = step.claim(owner, owner == thread, 1000, 1)
                                {
                                    for unit in chunk {
                                        taken[owner * 1000 + unit].fetch_add(1, Ordering::Relaxed);
                                    }
                                }
                            }
                        }
                        for step in phases.of(phase + 1) {
                            step.reset(thread);
                        }
                        barrier.wait();
                    }
                });
            }
        });
        assert!(
            taken
                .iter()
                .all(|times| times.load(Ordering::Relaxed) == 50 * STEPS as u64)
        );
    }
}
