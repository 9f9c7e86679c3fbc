//! A plan: a packed program with its own workspace.

use std::sync::Arc;
use std::time::Duration;

use super::error::{ProgramError, RunError};
use super::packed::{PackedProgram, Workspace};
use super::program::Program;
use super::usage;
use crate::cpu::Buffer;
use crate::threads::ThreadPool;

/// A program with its packed weights and its own workspace.
///
/// A clone shares the program and the weights and has its own workspace, so that each thread
/// of a server can run its own clone.
pub struct Plan {
    packed: Arc<PackedProgram>,
    pool: Option<Arc<ThreadPool>>,
    threads: usize,
    workspace: Workspace,
}

impl Plan {
    /// Checks `program` and combines it with its packed weights. A run uses `threads` threads, the
    /// caller's included.
    ///
    /// # Errors
    ///
    /// [`ProgramError`] when a step reaches outside the planned memory, the processor lacks the
    /// program's instruction set, or the memory of the maps cannot be allocated.
    pub fn new(program: Program, weights: Buffer, threads: usize) -> Result<Self, ProgramError> {
        program.check(weights.len())?;
        Self::checked(program, weights, threads)
    }

    /// As [`new`](Self::new), for a program that its user did not compile: also checks that a run
    /// takes at most `most_bytes` of memory, without the weights, and needs all of it.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and [`ProgramError`] when the program takes more memory, or has
    /// memory, outputs or steps that nothing uses.
    pub fn untrusted(
        program: Program,
        weights: Buffer,
        threads: usize,
        most_bytes: usize,
    ) -> Result<Self, ProgramError> {
        program.check(weights.len())?;
        let threads = threads.max(1);
        usage::check(&program, threads, most_bytes)?;
        Self::checked(program, weights, threads)
    }

    /// A plan of a program that was checked.
    pub(super) fn checked(
        program: Program,
        weights: Buffer,
        threads: usize,
    ) -> Result<Self, ProgramError> {
        let threads = threads.max(1);
        let packed = Arc::new(PackedProgram::checked(program, Arc::new(weights)));
        let workspace = Workspace::try_of(&packed, threads).ok_or(ProgramError::Memory {
            elements: packed.program.arena,
        })?;
        Ok(Self {
            workspace,
            packed,
            pool: (threads > 1).then(|| ThreadPool::shared(threads)),
            threads,
        })
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.packed.program
    }

    /// The packed weights.
    pub fn weights(&self) -> &[f32] {
        &self.packed.weights
    }

    /// Bytes of memory that a run of the whole batch takes, without the weights: maps, scratch
    /// memory, input and outputs.
    pub fn run_bytes(&self) -> usize {
        usage::bytes(&self.packed.program, self.threads).unwrap_or(usize::MAX)
    }

    /// Threads of a run, the caller's included.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Runs the program on the images of `input`, `[images, channels, height, width]`, at most
    /// [`Program::images`]. Every output is `[images, channels, height, width]`.
    ///
    /// A run does not allocate. While another plan holds the threads, the calling thread computes
    /// alone, with bit-identical results.
    ///
    /// # Errors
    ///
    /// [`RunError`] when a slice has the wrong length.
    pub fn run(&mut self, input: &[f32], outputs: &mut [&mut [f32]]) -> Result<(), RunError> {
        self.start(input, outputs, None)
    }

    /// As [`run`](Self::run), with each step as a phase of its own; adds the time of each step to
    /// `times`.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    ///
    /// # Panics
    ///
    /// When `times` does not have one element per step.
    pub fn profile(
        &mut self,
        input: &[f32],
        outputs: &mut [&mut [f32]],
        times: &mut [Duration],
    ) -> Result<(), RunError> {
        assert_eq!(
            times.len(),
            self.packed.program.steps.len(),
            "times must have one element per step"
        );
        self.start(input, outputs, Some(times))
    }

    fn start(
        &mut self,
        input: &[f32],
        outputs: &mut [&mut [f32]],
        times: Option<&mut [Duration]>,
    ) -> Result<(), RunError> {
        let images = self.packed.program.check_call(input, outputs)?;
        let addresses = outputs.iter_mut().map(|output| output.as_mut_ptr());
        let pool = self.pool.as_deref();
        // SAFETY: `check_call` verified the lengths of the slices.
        unsafe {
            let workspace = &mut self.workspace;
            let input = input.as_ptr();
            self.packed
                .run(pool, workspace, images, input, addresses, times);
        }
        Ok(())
    }
}

impl Clone for Plan {
    fn clone(&self) -> Self {
        Self {
            packed: self.packed.clone(),
            pool: self.pool.clone(),
            threads: self.threads,
            workspace: Workspace::of(&self.packed, self.threads),
        }
    }
}
