//! Execution of a packed program by a team of threads.

use std::time::Duration;

use super::packed::{PackedProgram, Workspace};
use super::schedule::{Phase, Schedule};
use crate::cpu::Context;
use crate::threads::partition::partition_range;
use crate::threads::{StealableRanges, ThreadPool};

impl PackedProgram {
    /// Executes the program on the threads of `pool`, or on the calling thread alone if there is no
    /// pool or another caller holds it. Adds the time of each step to `times`.
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
        let team = pool.and_then(ThreadPool::try_lock);
        let threads = team.as_ref().map_or(1, |team| team.threads());
        let schedule = Schedule::new(self, images, threads, times);
        let execution = Execution {
            packed: self,
            threads,
            input,
            outputs: &workspace.outputs,
            arena: workspace.arena.as_mut_ptr(),
            scratch: workspace.scratch.as_mut_ptr(),
        };
        match team {
            Some(team) => {
                let phases = schedule.map(|phase| (phase.stealable_steps(), phase));
                team.run(phases, |thread, phase, stealable| {
                    execution.execute(thread, phase, stealable);
                });
            }
            None => schedule.for_each(|phase| execution.execute(0, &phase, &[])),
        }
    }
}

/// One execution, shared by all its threads.
struct Execution<'a> {
    packed: &'a PackedProgram,
    threads: usize,
    input: *const f32,
    outputs: &'a [*mut f32],
    arena: *mut f32,
    scratch: *mut f32,
}

// SAFETY: by the contract of `Operation`, threads write disjoint elements of the arena and the
// outputs, and read what other threads wrote only in a later phase.
unsafe impl Sync for Execution<'_> {}

impl Execution<'_> {
    /// Executes the part of a phase that thread number `thread` claims. `stealable` is the
    /// work-stealing state of each step, or empty if the thread is the only one.
    fn execute(&self, thread: usize, phase: &Phase, stealable: &[StealableRanges]) {
        let Self {
            packed, threads, ..
        } = *self;
        let steps = &packed.program.steps[phase.steps.clone()];
        let context = Context {
            kernels: packed.kernels,
            arena: self.arena,
            weights: &packed.weights,
            input: self.input,
            outputs: self.outputs,
            // SAFETY: the workspace has scratch memory for every thread of the team.
            scratch: unsafe { self.scratch.add(thread * packed.scratch) },
            images: phase.images.len(),
            first: phase.images.start,
            thread,
            threads,
            stealable: None,
        };
        if phase.by_image {
            for owner in (thread..threads).chain(0..thread) {
                let images = partition_range(phase.images.len(), threads, owner);
                let is_owner = owner == thread;
                let whole = images.len();
                if stealable[0].claim(owner, is_owner, whole, whole).is_some() {
                    let context = Context {
                        images: whole,
                        first: phase.images.start + images.start,
                        thread: 0,
                        threads: 1,
                        ..context
                    };
                    for program_step in steps {
                        // SAFETY: the program was checked when it was packed, and the call by the
                        // caller of `run`. No other thread computes these images.
                        unsafe { program_step.step.operation().run(&context) };
                    }
                }
            }
            return;
        }
        for (index, program_step) in steps.iter().enumerate() {
            let operation = program_step.step.operation();
            let context = Context {
                stealable: stealable.get(index),
                ..context
            };
            // SAFETY: the program was checked when it was packed, and the call by the caller of
            // `run`. Steps that conflict are in different phases.
            unsafe {
                operation.run(&context);
                context.steal_borders(|| operation.accesses());
            }
        }
    }
}
