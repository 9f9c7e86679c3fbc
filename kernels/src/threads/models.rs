//! Models of the threads' communication: loom executes every interleaving and every value that a
//! relaxed load may return, up to a number of preemptions.

use std::sync::Arc;

use loom::model::Builder;

use super::pool::ThreadPool;
use super::sync::{AtomicU64, Ordering, UnsafeCell, thread};
use super::work_stealing::StealableRanges;

/// Checks `model` with at most `preemptions` preemptions of threads that could continue.
fn check(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

/// Values that a phase writes and the next phase reads. Loom reports an access that may be a data
/// race.
struct Values(Vec<UnsafeCell<usize>>);

// SAFETY: a value is written by the thread that claimed it, and read in later phases; loom checks it.
unsafe impl Sync for Values {}

impl Values {
    fn get(&self, index: usize) -> usize {
        // SAFETY: as for `Sync`.
        self.0[index].with(|value| unsafe { *value })
    }

    fn increment(&self, index: usize) {
        // SAFETY: as for `Sync`.
        self.0[index].with_mut(|value| unsafe { *value += 1 });
    }
}

/// Runs phases of one unit for each thread. Each unit reads all units of the phase before.
fn run_phases(pool: &ThreadPool, phases: usize) {
    let team = pool.try_lock().expect("one caller");
    let threads = team.threads();
    let values = Values((0..threads * phases).map(|_| UnsafeCell::new(0)).collect());
    let claims = (0..phases).map(|phase| (1, phase));
    team.run(claims, |thread, &phase, ranges| {
        for owner in (thread..threads).chain(0..thread) {
            while ranges[0].claim(owner, owner == thread, 1, 1).is_some() {
                for before in 0..phase * threads {
                    assert_eq!(values.get(before), 1);
                }
                values.increment(phase * threads + owner);
            }
        }
    });
    for index in 0..threads * phases {
        assert_eq!(values.get(index), 1, "unit {index}");
    }
}

#[test]
fn loom_chunks_are_claimed_once() {
    check(4, || {
        let ranges = Arc::new(StealableRanges::new(2));
        let claimed = Arc::new(AtomicU64::new(0));
        let claim = |thread: usize, ranges: &StealableRanges, claimed: &AtomicU64| {
            for owner in [thread, 1 - thread] {
                while let Some(units) = ranges.claim(owner, owner == thread, 3, 1) {
                    // Four bits for each unit.
                    let units = units.map(|unit| 1 << (4 * (3 * owner + unit)));
                    claimed.fetch_add(units.sum(), Ordering::Relaxed);
                }
            }
        };
        let other = {
            let (ranges, claimed) = (ranges.clone(), claimed.clone());
            thread::spawn(move || claim(1, &ranges, &claimed))
        };
        claim(0, &ranges, &claimed);
        other.join().unwrap();
        assert_eq!(claimed.load(Ordering::Relaxed), 0x11_1111);
    });
}

#[test]
fn loom_borders_are_claimed_once() {
    check(4, || {
        let ranges = Arc::new(StealableRanges::new(1));
        let other = {
            let ranges = ranges.clone();
            thread::spawn(move || ranges.claim_border(0))
        };
        let claims = [ranges.claim_border(0), other.join().unwrap()];
        assert_eq!(claims.iter().filter(|claim| **claim).count(), 1);
    });
}

/// Threads that do not spin, so that every wait is a sleep.
#[test]
fn loom_two_threads_that_sleep() {
    check(2, || run_phases(&ThreadPool::new(2, 0), 2));
}

/// Threads that spin once before they sleep.
#[test]
fn loom_two_threads_that_spin() {
    check(2, || run_phases(&ThreadPool::new(2, 1), 2));
}

#[test]
fn loom_two_runs() {
    check(2, || {
        let pool = ThreadPool::new(2, 0);
        run_phases(&pool, 1);
        run_phases(&pool, 1);
    });
}

#[test]
fn loom_three_threads() {
    check(1, || run_phases(&ThreadPool::new(3, 0), 2));
}
