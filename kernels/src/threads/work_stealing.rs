//! How threads divide a step's work.
//!
//! Each has a share, the same in every run, so that it finds in its caches what it wrote before. It takes its share
//! piece by piece from the front; when nothing is left of it, it takes from the backs of the others'. Cores are
//! not equally fast: some are built so, and on a rented machine a host takes some microseconds away, now from
//! one and now from another, or another guest uses a core's other hardware thread. What is computed does not
//! depend on who does it.
//!
//! A piece is half of what is left, and not less than is worth the taking: Polychronopoulos & Kuck, "Guided
//! Self-Scheduling", 1987.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is left of each thread's share of a step.
pub(crate) struct StealableRanges {
    taken: Vec<Claimed>,
    #[cfg(test)]
    watch: Option<Watch>,
}

/// Units that were taken from a share's front and, in the upper half, from its back. In two cache lines of its
/// own, for processors bring them in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Claimed(AtomicU64);

impl StealableRanges {
    /// Whole ones of so many threads.
    pub fn new(threads: usize) -> Self {
        Self {
            taken: (0..threads).map(|_| Claimed::default()).collect(),
            #[cfg(test)]
            watch: None,
        }
    }

    /// Makes the share of `thread` whole.
    pub fn reset(&self, thread: usize) {
        self.taken[thread].0.store(0, Ordering::Relaxed);
    }

    /// Takes a piece of a share of `len` units, of at least `least` where there are, from the front of its own
    /// thread's or the back of another's.
    pub fn claim(&self, share: usize, own: bool, len: usize, least: usize) -> Option<Range<usize>> {
        #[cfg(test)]
        let least = match &self.watch {
            Some(watch) => watch.least()?,
            None => least,
        };
        let Claimed(taken) = &self.taken[share];
        let mut before = taken.load(Ordering::Relaxed);
        loop {
            let (front, back) = (before as u32 as usize, (before >> 32) as usize);
            let left = len - front - back;
            if left == 0 {
                return None;
            }
            // What would be left goes with it where it is less than a piece.
            let half = left.div_ceil(2).max(least);
            let piece = if left.saturating_sub(half) < least {
                left
            } else {
                half
            };
            let (after, units) = match own {
                true => (before + piece as u64, front..front + piece),
                false => (
                    before + ((piece as u64) << 32),
                    len - back - piece..len - back,
                ),
            };
            // What is read for a piece was there before the step began: nothing else is passed on here.
            match taken.compare_exchange_weak(before, after, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(units),
                Err(now) => before = now,
            }
        }
    }
}

/// The shares of the steps of phases that follow each other, in turn: a phase's steps are taken without waiting between
/// them. While one phase's are taken, each thread that has done makes its own of the phase after whole: everybody has
/// done with the phase before.
pub(crate) struct PhaseRanges([Vec<StealableRanges>; 2]);

impl PhaseRanges {
    /// Those of so many threads, of phases of up to `steps` steps.
    pub fn new(threads: usize, steps: usize) -> Self {
        Self([(); 2].map(|()| (0..steps).map(|_| StealableRanges::new(threads)).collect()))
    }

    /// Makes all whole, before anybody is at work.
    pub fn reset(&self) {
        for shares in self.0.iter().flatten() {
            (0..shares.taken.len()).for_each(|thread| shares.reset(thread));
        }
    }

    /// The shares of the steps of phase `turn`.
    pub fn of(&self, turn: usize) -> &[StealableRanges] {
        &self.0[turn % 2]
    }
}

/// Lets threads of a test, one after the other, take as many pieces as each may, the smallest there are.
#[cfg(test)]
struct Watch(AtomicU64);

#[cfg(test)]
impl Watch {
    fn least(&self) -> Option<usize> {
        let fewer = |left: u64| left.checked_sub(1);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer)
            .ok()?;
        Some(1)
    }
}

#[cfg(test)]
impl StealableRanges {
    /// Those of threads of which each takes only what it [may](Self::allow), whatever is worth a piece.
    pub fn watched(threads: usize) -> Self {
        Self {
            watch: Some(Watch(AtomicU64::new(0))),
            ..Self::new(threads)
        }
    }

    /// Lets `pieces` more be taken.
    pub fn allow(&self, pieces: u64) {
        let watch = self.watch.as_ref().expect("they are watched");
        watch.0.store(pieces, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_unit_is_taken_once(
            lens in prop::collection::vec(0_usize..100, 1..5),
            least in 1_usize..30,
            order in prop::collection::vec((0_usize..5, 0_usize..5), 0..200),
        ) {
            let shares = StealableRanges::new(lens.len());
            let mut taken: Vec<Vec<bool>> = lens.iter().map(|&len| vec![false; len]).collect();
            let rest = (0..lens.len()).flat_map(|share| vec![(share, share); 100]);
            for (thread, share) in order.into_iter().chain(rest) {
                let share = share % lens.len();
                let Some(piece) = shares.claim(share, thread == share, lens[share], least) else {
                    continue;
                };
                prop_assert!(piece.len() >= least.min(lens[share]));
                for unit in piece {
                    prop_assert!(!std::mem::replace(&mut taken[share][unit], true));
                }
            }
            prop_assert!(taken.iter().flatten().all(|&taken| taken));
            for (share, &len) in lens.iter().enumerate() {
                prop_assert_eq!(shares.claim(share, true, len, least), None);
                shares.reset(share);
                prop_assert_eq!(shares.claim(share, false, len, len), (len > 0).then_some(0..len));
            }
        }
    }

    #[test]
    fn pieces_grow_smaller() {
        let shares = StealableRanges::new(1);
        let front = [16, 8, 4, 4].map(|piece| (true, piece));
        let mut at = 0;
        for (own, piece) in front {
            assert_eq!(shares.claim(0, own, 32, 3), Some(at..at + piece));
            at += piece;
        }
        assert_eq!(shares.claim(0, true, 32, 3), None);
    }

    #[test]
    fn threads_at_once_take_every_unit_once() {
        const STEPS: usize = 3;
        let turns = PhaseRanges::new(3, STEPS);
        let taken: Vec<AtomicU64> = (0..3000).map(|_| AtomicU64::new(0)).collect();
        let barrier = std::sync::Barrier::new(3);
        std::thread::scope(|scope| {
            for thread in 0..3 {
                let (turns, taken, barrier) = (&turns, &taken, &barrier);
                scope.spawn(move || {
                    for turn in 0..50 {
                        for step in turns.of(turn) {
                            for share in (0..3).map(|after| (thread + after) % 3) {
                                while let Some(piece) = step.claim(share, share == thread, 1000, 1)
                                {
                                    for unit in piece {
                                        taken[share * 1000 + unit].fetch_add(1, Ordering::Relaxed);
                                    }
                                }
                            }
                        }
                        for step in turns.of(turn + 1) {
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
