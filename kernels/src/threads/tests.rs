//! Tests of phases and of the pool.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::phaser::{Event, Member, Phaser};
use super::pool::ThreadPool;
use super::work_stealing::StealableRanges;
use super::{run_team, run_team_phases};

/// Iterations of spinning with which the tests run: none, few and many.
const SPINS: [usize; 3] = [0, 10, 1 << 14];

/// Claims all units of the ranges of `lens` units and calls `work` with the index of each.
fn claim_all(thread: usize, ranges: &StealableRanges, lens: &[usize], mut work: impl FnMut(usize)) {
    let threads = lens.len();
    for owner in (thread..threads).chain(0..thread) {
        let first: usize = lens[..owner].iter().sum();
        while let Some(chunk) = ranges.claim(owner, owner == thread, lens[owner], 1) {
            chunk.for_each(|unit| work(first + unit));
        }
    }
}

/// A member that is not there, spins or sleeps does not prevent others from completing a phase; one
/// that is inside does.
#[test]
fn a_phase_waits_for_members_inside_only() {
    let phaser = Phaser::new();
    let [mut caller, mut worker] = [true, false].map(Member::new);
    assert!(!phaser.open(&mut caller));
    // The worker has not come.
    assert_eq!(phaser.leave(&mut caller), Some(1));
    assert!(!phaser.open(&mut caller));
    // The worker enters the open phase.
    assert_eq!(phaser.wait(&mut worker, 0), Event::Entered);
    assert_eq!(phaser.leave(&mut caller), None);
    assert_eq!(phaser.leave(&mut worker), Some(2));
    // The caller, which spins, is inside the next phase, which therefore waits for it.
    assert!(!phaser.open(&mut worker));
    assert_eq!(phaser.leave(&mut worker), None);
    assert_eq!(phaser.wait(&mut caller, 0), Event::Entered);
    assert_eq!(phaser.leave(&mut caller), Some(2));
    assert!(!phaser.end(&mut caller));
    // The worker is inside the first phase of the next run.
    assert!(!phaser.open(&mut caller));
    assert_eq!(phaser.leave(&mut caller), None);
    assert_eq!(phaser.wait(&mut worker, 0), Event::Entered);
    assert_eq!(phaser.leave(&mut worker), Some(2));
    // The worker ends the run, and the caller sees the end.
    assert!(!phaser.end(&mut worker));
    assert_eq!(phaser.wait(&mut caller, 0), Event::Ended);
    phaser.stop();
    assert_eq!(phaser.wait(&mut worker, 0), Event::Stopped);
}

#[test]
fn every_unit_of_every_phase_is_done_once_and_in_order() {
    const PHASES: usize = 30;
    const UNITS: [usize; 4] = [5, 0, 1, 40];
    for (threads, spins) in (1..=4).flat_map(|threads| SPINS.map(|spins| (threads, spins))) {
        let pool = ThreadPool::new(threads, spins);
        let lens = &UNITS[..pool.threads()];
        let all: usize = lens.iter().sum();
        for run in 0..20 {
            let done: Vec<AtomicUsize> = (0..2 * all).map(|_| AtomicUsize::new(0)).collect();
            let team = pool.try_lock().unwrap();
            let phases = (0..PHASES).map(|phase| (1 + phase % 2, phase));
            team.run(phases, |thread, &phase, ranges| {
                for (step, ranges) in ranges.iter().enumerate() {
                    claim_all(thread, ranges, lens, |unit| {
                        let done = done[step * all + unit].fetch_add(1, Ordering::Relaxed);
                        let expected = if step == 0 { phase } else { phase / 2 };
                        assert_eq!(
                            done, expected,
                            "{threads} threads, {spins} spins, run {run}"
                        );
                    });
                }
            });
            for (unit, done) in done.into_iter().enumerate() {
                let expected = if unit < all { PHASES } else { PHASES / 2 };
                assert_eq!(done.into_inner(), expected);
            }
        }
    }
}

#[test]
fn a_run_without_phases_returns() {
    let pool = ThreadPool::new(2, 0);
    let team = pool.try_lock().unwrap();
    team.run(std::iter::empty::<(usize, ())>(), |_, (), _| unreachable!());
}

/// The caller panics with what `work` or the iterator of phases panicked with, on whatever thread,
/// and later runs succeed.
#[test]
fn panics_reach_the_caller() {
    for spins in SPINS {
        let pool = ThreadPool::new(3, spins);
        for (panicking_phase, in_iterator) in [(0, false), (2, false), (0, true), (2, true)] {
            let team = pool.try_lock().unwrap();
            let phases = (0..4).map(|phase| {
                assert!(!(in_iterator && phase == panicking_phase), "as intended");
                (1, phase)
            });
            let panic = catch_unwind(AssertUnwindSafe(|| {
                team.run(phases, |thread, &phase, ranges| {
                    claim_all(thread, &ranges[0], &[1; 3], |_| {
                        assert!(in_iterator || phase != panicking_phase, "as intended");
                    });
                });
            }));
            assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"as intended"));
            let units = AtomicUsize::new(0);
            team.run([(1, ())].into_iter(), |thread, (), ranges| {
                claim_all(thread, &ranges[0], &[10; 3], |_| {
                    units.fetch_add(1, Ordering::Relaxed);
                });
            });
            assert_eq!(units.into_inner(), 30);
        }
    }
}

#[test]
fn a_team_works_on_every_part_once_in_each_phase() {
    for threads in 1..=3 {
        let done: Vec<AtomicUsize> = (0..100).map(|_| AtomicUsize::new(0)).collect();
        run_team(threads, &|part| {
            for unit in part.static_range(done.len()) {
                done[unit].fetch_add(1, Ordering::Relaxed);
            }
        });
        run_team_phases(threads, 1..=5, |part, &phase| {
            for unit in part.static_range(done.len()) {
                assert_eq!(done[unit].fetch_add(1, Ordering::Relaxed), phase);
            }
        });
        assert!(done.into_iter().all(|done| done.into_inner() == 6));
    }
}

#[test]
fn a_pool_that_is_held_gives_no_team() {
    let pool = ThreadPool::new(2, 0);
    let team = pool.try_lock().unwrap();
    assert!(pool.try_lock().is_none());
    drop(team);
    assert!(pool.try_lock().is_some());
}
