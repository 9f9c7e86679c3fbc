//! Running a program.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::pool::{Barrier, Pool};
use super::{Program, ProgramError};
use crate::cpu::{Buffer, Context, Kernels};

/// A program with its weights and memory of its own. Cloning one for another thread shares the
/// weights.
pub struct Plan {
    shared: Arc<Shared>,
    arena: Buffer,
    scratch: Buffer,
    /// Where the outputs of the run in progress are.
    outputs: Vec<*mut f32>,
}

// SAFETY: the addresses mean something only while `run` has the plan to itself.
unsafe impl Send for Plan {}
// SAFETY: nothing is done with a shared plan but reading its program and weights.
unsafe impl Sync for Plan {}

/// What the clones of a plan have in common.
struct Shared {
    program: Program,
    weights: Buffer,
    kernels: &'static Kernels,
    pool: Option<Arc<Pool>>,
    threads: usize,
    /// Elements of each thread's own memory.
    scratch: usize,
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
        let scratch = program
            .steps
            .iter()
            .map(|named| named.step.scratch())
            .max()
            .unwrap_or(0)
            .next_multiple_of(32);
        let threads = threads.max(1);
        Self::of(Arc::new(Shared {
            kernels: Kernels::get(program.isa),
            program,
            weights,
            pool: (threads > 1).then(|| Pool::shared(threads)),
            threads,
            scratch,
        }))
    }

    fn of(shared: Arc<Shared>) -> Self {
        Self {
            arena: Buffer::zeroed(shared.program.arena),
            scratch: Buffer::zeroed(shared.scratch.saturating_mul(shared.threads)),
            outputs: vec![std::ptr::null_mut(); shared.program.outputs.len()],
            shared,
        }
    }

    /// What it runs.
    pub fn program(&self) -> &Program {
        &self.shared.program
    }

    /// Its packed weights.
    pub fn weights(&self) -> &[f32] {
        &self.shared.weights
    }

    /// How many threads run it.
    pub fn threads(&self) -> usize {
        self.shared.threads
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

    /// Runs it as [`run`](Self::run) does and adds each step's time, measured between barriers on
    /// the caller's thread, to `times`.
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
            self.shared.program.steps.len(),
            "a time for each step"
        );
        self.start(input, outputs, Some(times))
    }
}

impl Clone for Plan {
    fn clone(&self) -> Self {
        Self::of(self.shared.clone())
    }
}

impl Plan {
    fn start(
        &mut self,
        input: &[f32],
        outputs: &mut [&mut [f32]],
        times: Option<&mut [Duration]>,
    ) -> Result<(), RunError> {
        let shared = &*self.shared;
        let images = shared.program.check_call(input, outputs)?;
        for (address, output) in self.outputs.iter_mut().zip(outputs) {
            *address = output.as_mut_ptr();
        }
        let run = Run {
            shared,
            images,
            input: input.as_ptr(),
            outputs: &self.outputs,
            arena: self.arena.as_mut_ptr(),
            scratch: self.scratch.as_mut_ptr(),
        };
        let team = shared.pool.as_deref().and_then(Pool::take);
        match team {
            Some(team) => {
                let barrier = Barrier::new(team.threads());
                // Only the caller's thread, which is 0, keeps times.
                let times = Mutex::new(times);
                team.run(&|thread| {
                    let mut times = (thread == 0).then(|| times.lock().expect("locked once"));
                    let times = times.as_mut().and_then(|times| times.as_deref_mut());
                    run.steps(thread, &barrier, times);
                });
            }
            None => run.steps(0, &Barrier::new(1), times),
        }
        Ok(())
    }
}

/// A run, as all its threads see it.
struct Run<'a> {
    shared: &'a Shared,
    images: usize,
    input: *const f32,
    outputs: &'a [*mut f32],
    arena: *mut f32,
    scratch: *mut f32,
}

// SAFETY: the threads write disjoint parts of the memory behind the addresses, and read what
// others wrote only after a barrier: each step's contract.
unsafe impl Sync for Run<'_> {}

impl Run<'_> {
    fn steps(&self, thread: usize, barrier: &Barrier, mut times: Option<&mut [Duration]>) {
        let Self { shared, .. } = self;
        // Ends the others' waiting when this thread panics.
        let guard = Guard(barrier);
        let context = Context {
            kernels: shared.kernels,
            arena: self.arena,
            weights: &shared.weights,
            input: self.input,
            outputs: self.outputs,
            // SAFETY: each thread of the plan has its part of the scratch memory.
            scratch: unsafe { self.scratch.add(thread * shared.scratch) },
            images: self.images,
            thread,
            threads: barrier.threads(),
        };
        for (index, named) in shared.program.steps.iter().enumerate() {
            let start = times.is_some().then(Instant::now);
            // SAFETY: the program was checked in `Plan::new`, the call in `start`.
            unsafe { named.step.run(&context) };
            if !barrier.wait() {
                break;
            }
            if let (Some(times), Some(start)) = (&mut times, start) {
                times[index] += start.elapsed();
            }
        }
        std::mem::forget(guard);
    }
}

struct Guard<'a>(&'a Barrier);

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
