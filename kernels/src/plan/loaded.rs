//! A program with its weights, and the memory that it runs in.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::Program;
use super::phases;
use super::pool::{Barrier, Pool};
use super::run::Run;
use crate::cpu::{Buffer, Kernels};

/// A program with its packed weights, for callers that bring [`Workspace`].
pub(crate) struct Loaded {
    pub(super) program: Program,
    pub(super) weights: Arc<Buffer>,
    pub(super) kernels: &'static Kernels,
    /// Whether all threads wait for each other after each step.
    pub(super) waits: Vec<bool>,
    /// Whether each image has its memory to itself in all steps.
    pub(super) separate: bool,
    /// Elements of each thread's own memory.
    pub(super) scratch: usize,
}

/// What a run writes to besides its outputs. One may serve many programs, one after the other.
#[derive(Default)]
pub(crate) struct Workspace {
    pub(super) arena: Buffer,
    pub(super) scratch: Buffer,
    /// Where the outputs of the run in progress are.
    outputs: Vec<*mut f32>,
}

// SAFETY: the addresses mean something only while a run has the memory to itself.
unsafe impl Send for Workspace {}
// SAFETY: nothing is done with shared memory.
unsafe impl Sync for Workspace {}

impl Workspace {
    /// What `loaded` needs to run on `threads` threads.
    pub(super) fn of(loaded: &Loaded, threads: usize) -> Self {
        let mut workspace = Self::default();
        workspace.fit(loaded, threads);
        workspace
    }

    /// Grows to what `loaded` needs on `threads` threads.
    fn fit(&mut self, loaded: &Loaded, threads: usize) {
        let fit = |buffer: &mut Buffer, len| {
            if buffer.len() < len {
                *buffer = Buffer::zeroed(len);
            }
        };
        fit(&mut self.arena, loaded.program.arena);
        fit(&mut self.scratch, loaded.scratch.saturating_mul(threads));
        self.outputs.reserve(loaded.program.outputs.len());
    }
}

impl Loaded {
    /// `program`, which was checked, with its packed weights.
    pub(super) fn checked(program: Program, weights: Arc<Buffer>) -> Self {
        let scratch = program
            .steps
            .iter()
            .map(|named| named.step.scratch())
            .max()
            .unwrap_or(0)
            .next_multiple_of(32);
        Self {
            kernels: Kernels::get(program.isa),
            waits: phases::waits(&program),
            separate: phases::are_separate(&program),
            program,
            weights,
            scratch,
        }
    }

    /// Runs it on the threads of `pool`, or on the caller's alone.
    ///
    /// # Safety
    ///
    /// `images` is at most the program's, `input` has as many images, and there is an address for
    /// each output, with room for as many.
    pub(super) unsafe fn run(
        &self,
        pool: Option<&Pool>,
        workspace: &mut Workspace,
        images: usize,
        input: *const f32,
        outputs: impl Iterator<Item = *mut f32>,
        times: Option<&mut [Duration]>,
    ) {
        workspace.fit(self, pool.map_or(1, Pool::threads));
        workspace.outputs.clear();
        workspace.outputs.extend(outputs);
        let run = Run {
            loaded: self,
            images,
            input,
            outputs: &workspace.outputs,
            arena: workspace.arena.as_mut_ptr(),
            scratch: workspace.scratch.as_mut_ptr(),
            profiled: times.is_some(),
        };
        match pool.and_then(Pool::try_lock) {
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
