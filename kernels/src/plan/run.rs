//! Execution of a packed program by a team of threads.

use std::ops::Range;
use std::sync::Mutex;
use std::time::Duration;

use web_time::Instant;

use super::packed::{PackedProgram, Workspace};
use crate::cpu::Context;
use crate::threads::partition::partition_range;
use crate::threads::{Barrier, BarrierGuard, PhaseRanges, ThreadPool};

impl PackedProgram {
    /// Executes the program on the threads of `pool`, or on the calling thread alone if there is no
    /// pool or another caller holds it.
    ///
    /// # Safety
    ///
    /// `images` is at most the program's batch size, `input` points to that many images, and
    /// `outputs` yields an address for each output with memory for that many images.
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
        let run = Execution {
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
                team.phase_ranges().reset();
                let barrier = Barrier::new(team.threads());
                // Thread 0, the caller's, measures times.
                let times = Mutex::new(times);
                team.run(&|thread| {
                    let mut times = (thread == 0).then(|| times.lock().expect("locked once"));
                    let times = times.as_mut().and_then(|times| times.as_deref_mut());
                    run.execute(thread, Some(team.phase_ranges()), &barrier, times);
                });
            }
            None => run.execute(0, None, &Barrier::new(1), times),
        }
    }
}

/// One execution, shared by all its threads.
pub(super) struct Execution<'a> {
    pub packed: &'a PackedProgram,
    pub images: usize,
    pub input: *const f32,
    pub outputs: &'a [*mut f32],
    pub arena: *mut f32,
    pub scratch: *mut f32,
    /// Whether a barrier follows every step.
    pub profiled: bool,
}

// SAFETY: by the contract of `Operation`, threads write disjoint elements of the arena and the
// outputs, and read what other threads wrote only after a barrier.
unsafe impl Sync for Execution<'_> {}

/// Smallest number of images per thread for which an uneven division of the batch is accepted.
const ENOUGH_IMAGES_PER_THREAD: usize = 8;

impl Execution<'_> {
    /// The images on which this thread runs all steps, without barriers. `None` unless every image
    /// has its own region of the arena and the images divide (nearly) evenly among the threads.
    fn own_images(&self, thread: usize, threads: usize) -> Option<Range<usize>> {
        let images = self.images;
        let even = images.is_multiple_of(threads) || images >= ENOUGH_IMAGES_PER_THREAD * threads;
        (threads > 1 && self.packed.separate && even)
            .then(|| partition_range(images, threads, thread))
    }

    /// Executes every step on thread number `thread`.
    ///
    /// `phases` is the work-stealing state; without it, threads compute their static ranges only.
    /// `times` accumulates the time of each step.
    pub fn execute(
        &self,
        thread: usize,
        phases: Option<&PhaseRanges>,
        barrier: &Barrier,
        mut times: Option<&mut [Duration]>,
    ) {
        let Self { packed, .. } = self;
        // Releases the other threads if this one panics.
        let guard = BarrierGuard(barrier);
        let mut context = Context {
            kernels: packed.kernels,
            arena: self.arena,
            weights: &packed.weights,
            input: self.input,
            outputs: self.outputs,
            // SAFETY: the workspace has scratch memory for every thread of the team.
            scratch: unsafe { self.scratch.add(thread * packed.scratch) },
            images: self.images,
            first: 0,
            thread,
            threads: barrier.threads(),
            stealable: None,
        };
        let own_images = self.own_images(thread, barrier.threads());
        if own_images.is_some() {
            (context.thread, context.threads) = (0, 1);
        }
        let phases = phases.filter(|_| own_images.is_none());
        // Number of the phase, index of the step in it, and the number of steps of the phase
        // before.
        let [mut phase, mut step_of_phase, mut last_phase_len] = [0; 3];
        // Micro-batches never shrink from one segment to the next, so each iteration runs one
        // micro-batch of the first segment. A later segment runs when the inputs of a whole
        // micro-batch are complete, or the batch ends.
        let stride = (packed.program.steps.first()).map_or(self.images, |step| step.micro_batch);
        'all: for first in (0..self.images).step_by(stride) {
            let complete = self.images.min(first + stride);
            let mut steps_before = 0;
            for segment in packed.program.segments() {
                let micro_batch = segment[0].micro_batch;
                if !(complete.is_multiple_of(micro_batch) || complete == self.images) {
                    break;
                }
                let images = (complete - 1) / micro_batch * micro_batch..complete;
                let images = own_images.clone().unwrap_or(images);
                context.first = images.start;
                context.images = images.len();
                for (index, program_step) in segment.iter().enumerate() {
                    let start = times.is_some().then(Instant::now);
                    context.stealable = phases.map(|phases| &phases.of(phase)[step_of_phase]);
                    // SAFETY: the program was checked when it was packed, and the call by the
                    // caller of `run`; barriers separate conflicting steps.
                    unsafe { program_step.step.operation().run(&context) };
                    step_of_phase += 1;
                    let ends_phase =
                        own_images.is_none() && packed.ends_phase[steps_before + index];
                    if !(ends_phase || self.profiled) {
                        continue;
                    }
                    if let Some(phases) = phases {
                        // The next phase reuses the work-stealing state of the previous phase.
                        let ranges = &phases.of(phase + 1)[..last_phase_len];
                        ranges.iter().for_each(|ranges| ranges.reset(thread));
                    }
                    (phase, step_of_phase, last_phase_len) = (phase + 1, 0, step_of_phase);
                    if !barrier.wait() {
                        break 'all;
                    }
                    if let (Some(times), Some(start)) = (&mut times, start) {
                        times[steps_before + index] += start.elapsed();
                    }
                }
                steps_before += segment.len();
            }
        }
        std::mem::forget(guard);
    }
}
