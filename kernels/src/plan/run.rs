//! Execution of a packed program by a team of threads.

use std::ops::Range;
use std::sync::Mutex;
use std::time::Duration;

use web_time::Instant;

use super::packed::{PackedProgram, Workspace};
use crate::cpu::Context;
use crate::threads::partition::share;
use crate::threads::{Barrier, BarrierGuard, PhaseRanges, ThreadPool};

impl PackedProgram {
    /// Runs it on the threads of `pool`, or on the caller's alone.
    ///
    /// # Safety
    ///
    /// `images` is at most the program's, `input` has as many images, and there is an address for
    /// each output, with room for as many.
    pub(super) unsafe fn run(
        &self,
        pool: Option<&ThreadPool>,
        workspace: &mut Workspace,
        images: usize,
        input: *const f32,
        outputs: impl Iterator<Item = *mut f32>,
        times: Option<&mut [Duration]>,
    ) {
        workspace.fit(self, pool.map_or(1, ThreadPool::threads));
        workspace.outputs.clear();
        workspace.outputs.extend(outputs);
        let run = Run {
            packed: self,
            images,
            input,
            outputs: &workspace.outputs,
            arena: workspace.arena.as_mut_ptr(),
            scratch: workspace.scratch.as_mut_ptr(),
            profiled: times.is_some(),
        };
        match pool.and_then(ThreadPool::try_lock) {
            Some(team) => {
                team.turns().reset();
                let barrier = Barrier::new(team.threads());
                // Only the caller's thread, which is 0, keeps times.
                let times = Mutex::new(times);
                team.run(&|thread| {
                    let mut times = (thread == 0).then(|| times.lock().expect("locked once"));
                    let times = times.as_mut().and_then(|times| times.as_deref_mut());
                    run.steps(thread, Some(team.turns()), &barrier, times);
                });
            }
            None => run.steps(0, None, &Barrier::new(1), times),
        }
    }
}

/// A run, as all its threads see it.
pub(super) struct Run<'a> {
    pub packed: &'a PackedProgram,
    pub images: usize,
    pub input: *const f32,
    pub outputs: &'a [*mut f32],
    pub arena: *mut f32,
    pub scratch: *mut f32,
    /// Whether every step is by itself.
    pub profiled: bool,
}

// SAFETY: the threads write disjoint parts of the memory behind the addresses, and read what
// others wrote only after a barrier: each step's contract.
unsafe impl Sync for Run<'_> {}

/// Images for each thread of which one more or less makes no great difference.
const EVEN: usize = 8;

impl Run<'_> {
    /// The images that are this thread's alone, from the first step to the last, where each has its memory to itself
    /// and no thread has many more than another: then none waits for another in between.
    fn own_images(&self, thread: usize, threads: usize) -> Option<Range<usize>> {
        let images = self.images;
        let even = images.is_multiple_of(threads) || images >= EVEN * threads;
        (threads > 1 && self.packed.separate && even).then(|| share(images, threads, thread))
    }

    /// This thread's part of every step.
    pub fn steps(
        &self,
        thread: usize,
        turns: Option<&PhaseRanges>,
        barrier: &Barrier,
        mut times: Option<&mut [Duration]>,
    ) {
        let Self { packed, .. } = self;
        // Ends the others' waiting when this thread panics.
        let guard = BarrierGuard(barrier);
        let mut context = Context {
            kernels: packed.kernels,
            arena: self.arena,
            weights: &packed.weights,
            input: self.input,
            outputs: self.outputs,
            // SAFETY: each thread of the plan has its part of the scratch memory.
            scratch: unsafe { self.scratch.add(thread * packed.scratch) },
            images: self.images,
            first: 0,
            thread,
            threads: barrier.threads(),
            shares: None,
        };
        let own = self.own_images(thread, barrier.threads());
        if own.is_some() {
            (context.thread, context.threads) = (0, 1);
        }
        let turns = turns.filter(|_| own.is_none());
        // The phase, the step of it, and how many steps the phase before had.
        let [mut turn, mut place, mut others] = [0; 3];
        let least = (packed.program.steps.first()).map_or(self.images, |named| named.micro_batch);
        'all: for first in (0..self.images).step_by(least) {
            let passed = self.images.min(first + least);
            let mut before = 0;
            for segment in packed.program.segments() {
                let micro_batch = segment[0].micro_batch;
                // As many images as pass this stretch have passed those before it, or the last have.
                if !(passed.is_multiple_of(micro_batch) || passed == self.images) {
                    break;
                }
                let all = (passed - 1) / micro_batch * micro_batch..passed;
                let images = own.clone().unwrap_or(all);
                context.first = images.start;
                context.images = images.len();
                for (index, named) in segment.iter().enumerate() {
                    let start = times.is_some().then(Instant::now);
                    context.shares = turns.map(|turns| &turns.of(turn)[place]);
                    // SAFETY: the program was checked in `PackedProgram::new`, the call by `run`'s caller.
                    unsafe { named.step.operation().run(&context) };
                    place += 1;
                    let waits = own.is_none() && packed.waits[before + index];
                    if !(waits || self.profiled) {
                        continue;
                    }
                    if let Some(turns) = turns {
                        // Those of the phase before, which the next one takes.
                        let taken = &turns.of(turn + 1)[..others];
                        taken.iter().for_each(|shares| shares.reset(thread));
                    }
                    (turn, place, others) = (turn + 1, 0, place);
                    if !barrier.wait() {
                        break 'all;
                    }
                    if let (Some(times), Some(start)) = (&mut times, start) {
                        times[before + index] += start.elapsed();
                    }
                }
                before += segment.len();
            }
        }
        std::mem::forget(guard);
    }
}
