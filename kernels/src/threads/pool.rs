//! A fixed set of threads that execute one run at a time, phase by phase.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, OnceLock, TryLockError};
use std::time::Duration;

use web_time::Instant;

use super::phaser::{Event, MAX_MEMBERS, Member, Phaser};
use super::sync::thread::{self, JoinHandle, Thread};
use super::sync::{AtomicBool, Mutex, MutexGuard, Ordering, UnsafeCell};
use super::work_stealing::{PhaseRanges, StealableRanges};

/// Largest number of steps in a phase: the pool holds work-stealing state for this many.
pub(crate) const MAX_STEPS_PER_PHASE: usize = 8;

/// Time that a waiting thread spins before it sleeps. On a quiet machine nearly all waits are shorter,
/// and sleeping would cost a wake-up. On a busy machine a thread waits for a core, and spinning takes
/// this time from its own share of the cores.
const SPIN_TIME: Duration = Duration::from_micros(50);

/// A fixed set of threads that includes the caller's.
///
/// Runs are not queued: a caller gets all threads, or computes on its own thread while another
/// caller holds the pool.
pub(crate) struct ThreadPool {
    shared: Arc<PoolState>,
    workers: Vec<JoinHandle<()>>,
    phase_ranges: PhaseRanges,
    busy: Mutex<()>,
}

struct PoolState {
    phaser: Phaser,
    /// The current run. It exists while a thread is inside the phaser.
    run: UnsafeCell<Option<*const dyn Run>>,
    spins: usize,
}

// SAFETY: the run is shared by threads, as `Run` demands. Its address changes only while the phaser
// is idle.
unsafe impl Send for PoolState {}
// SAFETY: see `Send`.
unsafe impl Sync for PoolState {}

impl ThreadPool {
    /// The process-wide pool of `threads` threads.
    pub fn shared(threads: usize) -> Arc<Self> {
        type Pools = std::sync::Mutex<HashMap<usize, Arc<ThreadPool>>>;
        static POOLS: OnceLock<Pools> = OnceLock::new();
        let pools = POOLS.get_or_init(Pools::default);
        let mut pools = pools.lock().unwrap_or_else(|error| error.into_inner());
        let pool = pools.entry(threads).or_insert_with(|| {
            // With fewer cores than threads, a spinning thread would keep the thread that it waits for
            // from running.
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            let spins = if threads > cores {
                0
            } else {
                spins_in(SPIN_TIME)
            };
            Arc::new(Self::new(threads, spins))
        });
        pool.clone()
    }

    /// A pool of `threads` threads, or as many as the operating system grants, which spin `spins` times
    /// before they sleep.
    pub(super) fn new(threads: usize, spins: usize) -> Self {
        let shared = Arc::new(PoolState {
            phaser: Phaser::new(),
            run: UnsafeCell::new(None),
            spins,
        });
        // The pool is smaller if the operating system refuses further threads.
        let mut workers = Vec::new();
        for thread in 1..threads.min(MAX_MEMBERS) {
            let shared = shared.clone();
            let name = format!("receptive-{thread}");
            let worker = thread::Builder::new()
                .name(name)
                .spawn(move || shared.work(thread));
            match worker {
                Ok(worker) => workers.push(worker),
                Err(_) => break,
            }
        }
        Self {
            shared,
            phase_ranges: PhaseRanges::new(workers.len() + 1, MAX_STEPS_PER_PHASE),
            workers,
            busy: Mutex::new(()),
        }
    }

    /// Number of threads, the caller's included.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Locks all threads for one caller; `None` while another caller holds them.
    pub fn try_lock(&self) -> Option<ThreadTeam<'_>> {
        match self.busy.try_lock() {
            Ok(guard) => Some(ThreadTeam {
                pool: self,
                _guard: guard,
            }),
            Err(TryLockError::Poisoned(error)) => Some(ThreadTeam {
                pool: self,
                _guard: error.into_inner(),
            }),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// Iterations of a spin loop that take about `time`. One takes 10 to 150 cycles.
fn spins_in(time: Duration) -> usize {
    const ITERATIONS: u32 = 256;
    // The shortest trial: others may have been interrupted.
    let trials = (0..5).map(|_| {
        let start = Instant::now();
        (0..ITERATIONS).for_each(|_| std::hint::spin_loop());
        start.elapsed()
    });
    let trial = trials.min().unwrap_or_default().as_nanos().max(1);
    usize::try_from(time.as_nanos() * u128::from(ITERATIONS) / trial).unwrap_or(usize::MAX)
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.shared.phaser.stop();
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // Panics of workers were caught in `execute`.
            let _ = worker.join();
        }
    }
}

/// All threads of a pool, locked for one caller.
pub(crate) struct ThreadTeam<'a> {
    pool: &'a ThreadPool,
    _guard: MutexGuard<'a, ()>,
}

impl ThreadTeam<'_> {
    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.pool.threads()
    }

    /// Executes phases one after the other, and returns when all work is finished.
    ///
    /// `phases` yields each phase with the number of its steps, at most [`MAX_STEPS_PER_PHASE`], when
    /// the phase before is complete. `work` is called with the index of a thread, a phase, and the
    /// work-stealing state of its steps, on the calling thread, whose index is 0, and on each thread
    /// that comes before the phase is complete. It must claim work until none is left.
    ///
    /// # Panics
    ///
    /// When `phases` or `work` panics on any thread, after all threads have left the run.
    pub fn run<P: Send + Sync>(
        &self,
        phases: impl Iterator<Item = (usize, P)> + Send,
        work: impl Fn(usize, &P, &[StealableRanges]) + Sync,
    ) {
        let Self { pool, .. } = self;
        pool.phase_ranges.reset();
        let run = PhasedRun {
            pool,
            caller: thread::current(),
            phases: UnsafeCell::new(phases),
            current: UnsafeCell::new(Current {
                phase: None,
                number: 0,
                steps: [0; 2],
            }),
            work,
            has_panicked: AtomicBool::new(false),
            panic: std::sync::Mutex::new(None),
        };
        // SAFETY: no other thread has access to the run yet.
        if unsafe { run.advance(true) } {
            let address: *const (dyn Run + '_) = &run;
            // SAFETY: only the lifetime changes. The run outlives its last use, since `execute`
            // returns to the caller when the phaser is idle, and threads use the run only inside the
            // phaser.
            let address: *const (dyn Run + 'static) = unsafe { std::mem::transmute(address) };
            // SAFETY: the caller holds the pool, whose phaser is idle.
            pool.shared
                .run
                .with_mut(|run| unsafe { *run = Some(address) });
            let mut member = Member::new(true);
            if pool.shared.phaser.open(&mut member) {
                run.wake(0);
            }
            pool.shared.execute(0, &mut member);
        }
        let panic = run.panic.into_inner();
        if let Some(panic) = panic.unwrap_or_else(|error| error.into_inner()) {
            resume_unwind(panic);
        }
    }
}

impl PoolState {
    /// Executes runs until the pool is dropped.
    fn work(&self, thread: usize) {
        let mut member = Member::new(false);
        while self.phaser.wait(&mut member, self.spins) == Event::Entered {
            if self.execute(thread, &mut member) == Event::Stopped {
                break;
            }
        }
    }

    /// Executes the phase that `member` is inside, and the phases after it, until the wait for a
    /// phase ends without one.
    fn execute(&self, thread: usize, member: &mut Member) -> Event {
        loop {
            // SAFETY: the address changes only while no thread is inside, and the run exists until
            // this thread has left.
            let run = unsafe {
                &*self
                    .run
                    .with(|run| *run)
                    .expect("set before the first phase")
            };
            // SAFETY: this thread is inside the phase.
            unsafe { run.work(thread) };
            if let Some(participants) = self.phaser.leave(member) {
                // SAFETY: this thread closed the phase.
                if unsafe { run.advance(participants == run.threads()) } {
                    if self.phaser.open(member) {
                        run.wake(thread);
                    }
                    continue;
                }
                // The run may be gone as soon as the caller sees the end.
                let caller = run.caller();
                if self.phaser.end(member) {
                    caller.unpark();
                }
            }
            match self.phaser.wait(member, self.spins) {
                Event::Entered => {}
                event => return event,
            }
        }
    }
}

/// A run of a pool, as its threads see it.
trait Run: Sync {
    /// Number of threads.
    fn threads(&self) -> usize;

    /// The caller's thread.
    fn caller(&self) -> Thread;

    /// Wakes all threads except `thread`, the current one.
    fn wake(&self, thread: usize);

    /// Proceeds to the next phase; returns `false` if there is none. `complete` says whether all
    /// threads took part in the last phase.
    ///
    /// # Safety
    ///
    /// The phase is closed by this thread.
    unsafe fn advance(&self, complete: bool) -> bool;

    /// Works on the current phase until no work is left to claim.
    ///
    /// # Safety
    ///
    /// This thread, whose index is `thread`, is inside the phase.
    unsafe fn work(&self, thread: usize);
}

struct PhasedRun<'a, P, I, W> {
    pool: &'a ThreadPool,
    caller: Thread,
    phases: UnsafeCell<I>,
    current: UnsafeCell<Current<P>>,
    work: W,
    has_panicked: AtomicBool,
    /// Payload of the first panic of a thread.
    panic: std::sync::Mutex<Option<Box<dyn Any + Send>>>,
}

/// The current phase.
struct Current<P> {
    phase: Option<P>,
    /// Number of the phase in its run, from 1.
    number: usize,
    /// Numbers of steps of this phase and the one before, each at its number modulo 2.
    steps: [usize; 2],
}

// SAFETY: the iterator, which is `Send`, is used by one thread at a time, since a phase is closed by
// one thread. The phase, which is `Send` and `Sync`, is written by that thread only, and read by the
// threads inside.
unsafe impl<P: Send + Sync, I: Send, W: Sync> Sync for PhasedRun<'_, P, I, W> {}

impl<P, I, W> PhasedRun<'_, P, I, W> {
    fn set_panic(&self, panic: Box<dyn Any + Send>) {
        // Relaxed: read after the phase is closed.
        self.has_panicked.store(true, Ordering::Relaxed);
        let mut first = self.panic.lock().unwrap_or_else(|error| error.into_inner());
        first.get_or_insert(panic);
    }
}

impl<P, I, W> Run for PhasedRun<'_, P, I, W>
where
    P: Send + Sync,
    I: Iterator<Item = (usize, P)> + Send,
    W: Fn(usize, &P, &[StealableRanges]) + Sync,
{
    fn threads(&self) -> usize {
        self.pool.threads()
    }

    fn caller(&self) -> Thread {
        self.caller.clone()
    }

    fn wake(&self, thread: usize) {
        if thread != 0 {
            self.caller.unpark();
        }
        for (worker, index) in self.pool.workers.iter().zip(1..) {
            if index != thread {
                worker.thread().unpark();
            }
        }
    }

    unsafe fn advance(&self, complete: bool) -> bool {
        if self.has_panicked.load(Ordering::Relaxed) {
            return false;
        }
        self.current.with_mut(|current| {
            // SAFETY: no other thread uses the phase while it is closed.
            let current = unsafe { &mut *current };
            let next = current.number + 1;
            let before = current.steps[next % 2];
            if !complete {
                self.pool.phase_ranges.reset_steps(next, before);
            }
            let phase = self.phases.with_mut(|phases| {
                // SAFETY: as above.
                catch_unwind(AssertUnwindSafe(|| unsafe { (*phases).next() }))
            });
            match phase {
                Ok(Some((steps, phase))) => {
                    current.steps[next % 2] = steps;
                    current.number = next;
                    current.phase = Some(phase);
                    true
                }
                Ok(None) => false,
                Err(panic) => {
                    self.set_panic(panic);
                    false
                }
            }
        })
    }

    unsafe fn work(&self, thread: usize) {
        self.current.with(|current| {
            // SAFETY: the phase does not change while a thread is inside.
            let Current {
                phase,
                number,
                steps,
            } = unsafe { &*current };
            let phase_ranges = &self.pool.phase_ranges;
            let ranges = &phase_ranges.of(*number)[..steps[number % 2]];
            let phase = phase.as_ref().expect("set before the phase opens");
            let work = || (self.work)(thread, phase, ranges);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
                self.set_panic(panic);
            }
            // The next phase reuses the work-stealing state of the phase before.
            let next = number + 1;
            let ranges = &phase_ranges.of(next)[..steps[next % 2]];
            ranges.iter().for_each(|ranges| ranges.reset(thread));
        });
    }
}
