//! Running a program.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use web_time::Instant;

use super::loaded::{Loaded, Workspace};
use super::pool::{Barrier, Pool};
use super::{Program, ProgramError};
use crate::cpu::{Buffer, Context, PhaseRanges, share};

/// A program with its weights and memory of its own. Cloning one for another thread shares the
/// weights.
pub struct Plan {
    loaded: Arc<Loaded>,
    pool: Option<Arc<Pool>>,
    threads: usize,
    workspace: Workspace,
}

impl Plan {
    /// `program` with its packed weights, on `threads` threads, the caller's among them.
    ///
    /// # Errors
    ///
    /// [`ProgramError`] when a step reaches outside the memory that the program plans, or the
    /// machine lacks its instruction set.
    pub fn new(program: Program, weights: Buffer, threads: usize) -> Result<Self, ProgramError> {
        program.check(weights.len())?;
        Ok(Self::checked(program, weights, threads))
    }

    /// The same of a program that was checked.
    pub(super) fn checked(program: Program, weights: Buffer, threads: usize) -> Self {
        let threads = threads.max(1);
        let loaded = Arc::new(Loaded::checked(program, Arc::new(weights)));
        Self {
            workspace: Workspace::of(&loaded, threads),
            loaded,
            pool: (threads > 1).then(|| Pool::shared(threads)),
            threads,
        }
    }

    /// What it runs.
    pub fn program(&self) -> &Program {
        &self.loaded.program
    }

    /// Its packed weights.
    pub fn weights(&self) -> &[f32] {
        &self.loaded.weights
    }

    /// How many threads run it.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Runs it for as many images as `input` holds, `[images, channels, height, width]`, at most
    /// those that it was made for. Each output is `[images, channels, height, width]` too. Nothing
    /// is allocated. While another plan has the threads, the caller's computes alone; the result is the
    /// same, bit by bit.
    ///
    /// # Errors
    ///
    /// [`RunError`] when a slice has a wrong length.
    pub fn run(&mut self, input: &[f32], outputs: &mut [&mut [f32]]) -> Result<(), RunError> {
        self.start(input, outputs, None)
    }

    /// Runs it as [`run`](Self::run) does, but for a barrier after every step, and adds the times between them on the
    /// caller's thread to `times`.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    ///
    /// # Panics
    ///
    /// When `times` is not as long as the program.
    pub fn profile(
        &mut self,
        input: &[f32],
        outputs: &mut [&mut [f32]],
        times: &mut [Duration],
    ) -> Result<(), RunError> {
        assert_eq!(
            times.len(),
            self.loaded.program.steps.len(),
            "a time for each step"
        );
        self.start(input, outputs, Some(times))
    }

    fn start(
        &mut self,
        input: &[f32],
        outputs: &mut [&mut [f32]],
        times: Option<&mut [Duration]>,
    ) -> Result<(), RunError> {
        let images = self.loaded.program.check_call(input, outputs)?;
        let addresses = outputs.iter_mut().map(|output| output.as_mut_ptr());
        let pool = self.pool.as_deref();
        // SAFETY: the slices were checked.
        unsafe {
            let workspace = &mut self.workspace;
            let input = input.as_ptr();
            self.loaded
                .run(pool, workspace, images, input, addresses, times);
        }
        Ok(())
    }
}

impl Clone for Plan {
    fn clone(&self) -> Self {
        Self {
            loaded: self.loaded.clone(),
            pool: self.pool.clone(),
            threads: self.threads,
            workspace: Workspace::of(&self.loaded, self.threads),
        }
    }
}

/// A run, as all its threads see it.
pub(super) struct Run<'a> {
    pub loaded: &'a Loaded,
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
        (threads > 1 && self.loaded.separate && even).then(|| share(images, threads, thread))
    }

    /// This thread's part of every step.
    pub fn steps(
        &self,
        thread: usize,
        turns: Option<&PhaseRanges>,
        barrier: &Barrier,
        mut times: Option<&mut [Duration]>,
    ) {
        let Self { loaded, .. } = self;
        // Ends the others' waiting when this thread panics.
        let guard = Guard(barrier);
        let mut context = Context {
            kernels: loaded.kernels,
            arena: self.arena,
            weights: &loaded.weights,
            input: self.input,
            outputs: self.outputs,
            // SAFETY: each thread of the plan has its part of the scratch memory.
            scratch: unsafe { self.scratch.add(thread * loaded.scratch) },
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
        let least = (loaded.program.steps.first()).map_or(self.images, |named| named.micro_batch);
        'all: for first in (0..self.images).step_by(least) {
            let passed = self.images.min(first + least);
            let mut before = 0;
            for segment in loaded.program.segments() {
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
                    // SAFETY: the program was checked in `Loaded::new`, the call by `run`'s caller.
                    unsafe { named.step.run(&context) };
                    place += 1;
                    let waits = own.is_none() && loaded.waits[before + index];
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

/// Lets the other threads go on, when dropped.
pub(super) struct Guard<'a>(pub &'a Barrier);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.break_up();
    }
}

/// What is wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The input is not a whole number of images.
    #[error("the input has {found} elements, expected a multiple of an image's {image}")]
    Input {
        /// Elements there are.
        found: usize,
        /// Elements of an image.
        image: usize,
    },
    /// Too many images, or none.
    #[error("the batch has {found} images, expected 1 to {most}")]
    Batch {
        /// Images there are.
        found: usize,
        /// Images that the plan was made for.
        most: usize,
    },
    /// Too many or too few outputs.
    #[error("there are {found} outputs, expected {expected}")]
    Outputs {
        /// Outputs there are.
        found: usize,
        /// Outputs of the program.
        expected: usize,
    },
    /// An output has the wrong length.
    #[error("output {index} has {found} elements, expected {expected}")]
    Output {
        /// Its place.
        index: usize,
        /// Elements there are.
        found: usize,
        /// Elements there must be.
        expected: usize,
    },
}

impl Program {
    /// The images of a call whose slices have the right lengths.
    fn check_call(&self, input: &[f32], outputs: &[&mut [f32]]) -> Result<usize, RunError> {
        let image: usize = self.input.iter().product();
        let found = input.len();
        if image == 0 || !found.is_multiple_of(image) {
            return Err(RunError::Input { found, image });
        }
        let images = found / image;
        if images == 0 || images > self.images {
            return Err(RunError::Batch {
                found: images,
                most: self.images,
            });
        }
        if outputs.len() != self.outputs.len() {
            return Err(RunError::Outputs {
                found: outputs.len(),
                expected: self.outputs.len(),
            });
        }
        for (index, (output, shape)) in outputs.iter().zip(&self.outputs).enumerate() {
            let expected = images * shape.iter().product::<usize>();
            if output.len() != expected {
                let found = output.len();
                return Err(RunError::Output {
                    index,
                    found,
                    expected,
                });
            }
        }
        Ok(images)
    }
}
