//! A fixed set of threads that execute one function at a time.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, TryLockError};
use std::thread::{self, JoinHandle};

use super::barrier::{SPINS, wait};
use super::work_stealing::PhaseRanges;

/// Largest number of steps in a phase: the pool holds work-stealing state for this many.
pub(crate) const MAX_STEPS_PER_PHASE: usize = 8;

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
    /// Number of runs so far. The workers execute the last run while `left` is not 0.
    epoch: AtomicUsize,
    job: AtomicPtr<Job<'static>>,
    left: AtomicUsize,
    panicked: AtomicBool,
    stop: AtomicBool,
}

struct Job<'a> {
    function: &'a (dyn Fn(usize) + Sync),
}

impl ThreadPool {
    /// The process-wide pool of `threads` threads.
    pub fn shared(threads: usize) -> Arc<Self> {
        static POOLS: OnceLock<Mutex<HashMap<usize, Arc<ThreadPool>>>> = OnceLock::new();
        let pools = POOLS.get_or_init(Mutex::default);
        let mut pools = pools.lock().unwrap_or_else(|error| error.into_inner());
        let pool = pools
            .entry(threads)
            .or_insert_with(|| Arc::new(Self::new(threads)));
        pool.clone()
    }

    fn new(threads: usize) -> Self {
        let shared = Arc::new(PoolState {
            epoch: AtomicUsize::new(0),
            job: AtomicPtr::new(std::ptr::null_mut()),
            left: AtomicUsize::new(0),
            panicked: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        // The pool is smaller if the operating system refuses further threads.
        let mut workers = Vec::new();
        for thread in 1..threads {
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

    /// Work-stealing state of the current phase and the next.
    pub fn phase_ranges(&self) -> &PhaseRanges {
        &self.pool.phase_ranges
    }

    /// Calls `function` on every thread with the index of the thread; the caller's index is 0.
    ///
    /// # Panics
    ///
    /// When `function` panics on any thread, after all threads have returned.
    pub fn run(&self, function: &(dyn Fn(usize) + Sync)) {
        let shared = &*self.pool.shared;
        let mut job = Job { function };
        shared.panicked.store(false, Ordering::Relaxed);
        shared
            .left
            .store(self.pool.workers.len(), Ordering::Relaxed);
        shared.job.store((&raw mut job).cast(), Ordering::Relaxed);
        shared.epoch.fetch_add(1, Ordering::Release);
        for worker in &self.pool.workers {
            worker.thread().unpark();
        }
        let own = catch_unwind(AssertUnwindSafe(|| function(0)));
        // `job` must outlive the last read of a worker.
        wait(|| shared.left.load(Ordering::Acquire) == 0);
        if let Err(panic) = own {
            std::panic::resume_unwind(panic);
        }
        assert!(
            !shared.panicked.load(Ordering::Relaxed),
            "a thread of the pool panicked"
        );
    }
}

impl PoolState {
    fn work(&self, thread: usize) {
        let mut seen = 0;
        loop {
            let mut spins = 0;
            while self.epoch.load(Ordering::Acquire) == seen {
                if self.stop.load(Ordering::Relaxed) {
                    return;
                }
                spins += 1;
                if spins < SPINS {
                    std::hint::spin_loop();
                } else {
                    // Returns at once if `unpark` was called first.
                    thread::park();
                }
            }
            seen += 1;
            // SAFETY: `run` keeps the job alive until `left` is 0, and this worker has not
            // decremented it yet.
            let job = unsafe { &*self.job.load(Ordering::Relaxed) };
            if catch_unwind(AssertUnwindSafe(|| (job.function)(thread))).is_err() {
                self.panicked.store(true, Ordering::Relaxed);
            }
            self.left.fetch_sub(1, Ordering::Release);
        }
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // Panics of workers were caught in `work`.
            let _ = worker.join();
        }
    }
}
