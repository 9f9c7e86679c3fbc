//! A program, its weights and its own memory: ready to run.

use std::sync::Arc;
use std::time::Duration;

use super::error::{ProgramError, RunError};
use super::packed::{PackedProgram, Workspace};
use super::program::Program;
use crate::cpu::Buffer;
use crate::threads::ThreadPool;

/// A program with its weights and memory of its own. Cloning one for another thread shares the
/// weights.
pub struct Plan {
    packed: Arc<PackedProgram>,
    pool: Option<Arc<ThreadPool>>,
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
        let packed = Arc::new(PackedProgram::checked(program, Arc::new(weights)));
        Self {
            workspace: Workspace::of(&packed, threads),
            packed,
            pool: (threads > 1).then(|| ThreadPool::shared(threads)),
            threads,
        }
    }

    /// What it runs.
    pub fn program(&self) -> &Program {
        &self.packed.program
    }

    /// Its packed weights.
    pub fn weights(&self) -> &[f32] {
        &self.packed.weights
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
            self.packed.program.steps.len(),
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
        let images = self.packed.program.check_call(input, outputs)?;
        let addresses = outputs.iter_mut().map(|output| output.as_mut_ptr());
        let pool = self.pool.as_deref();
        // SAFETY: the slices were checked.
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
