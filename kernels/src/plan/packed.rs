//! A program with its packed weights, and the memory of a run.

use std::sync::Arc;

use super::error::ProgramError;
use super::phases;
use super::program::Program;
use crate::cpu::{Buffer, Kernels};

/// A program with its packed weights, for callers that bring [`Workspace`].
pub(crate) struct PackedProgram {
    pub(super) program: Program,
    pub(super) weights: Arc<Buffer>,
    pub(super) kernels: &'static Kernels,
    /// Whether all threads wait for each other after each step.
    pub(super) ends_phase: Vec<bool>,
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
    pub(super) outputs: Vec<*mut f32>,
}

// SAFETY: the addresses mean something only while a run has the memory to itself.
unsafe impl Send for Workspace {}

// SAFETY: nothing is done with shared memory.
unsafe impl Sync for Workspace {}

impl Workspace {
    /// What `packed` needs to run on `threads` threads.
    pub(super) fn of(packed: &PackedProgram, threads: usize) -> Self {
        let mut workspace = Self::default();
        workspace.fit(packed, threads);
        workspace
    }

    /// Grows to what `packed` needs on `threads` threads.
    pub(super) fn fit(&mut self, packed: &PackedProgram, threads: usize) {
        let fit = |buffer: &mut Buffer, len| {
            if buffer.len() < len {
                *buffer = Buffer::zeroed(len);
            }
        };
        fit(&mut self.arena, packed.program.arena);
        fit(&mut self.scratch, packed.scratch.saturating_mul(threads));
        self.outputs.reserve(packed.program.outputs.len());
    }
}

impl PackedProgram {
    /// `program`, which was checked, with its packed weights.
    pub(super) fn checked(program: Program, weights: Arc<Buffer>) -> Self {
        let scratch = program
            .steps
            .iter()
            .map(|named| named.step.operation().scratch())
            .max()
            .unwrap_or(0)
            .next_multiple_of(32);
        Self {
            kernels: Kernels::get(program.isa),
            ends_phase: phases::ends_phase(&program),
            separate: phases::are_separate(&program),
            program,
            weights,
            scratch,
        }
    }
}

#[cfg(any(feature = "ndarray", feature = "flex"))]
impl Workspace {
    /// Its bytes.
    pub fn bytes(&self) -> usize {
        (self.arena.len() + self.scratch.len()) * size_of::<f32>()
    }
}

#[cfg(any(feature = "ndarray", feature = "flex"))]
impl PackedProgram {
    /// `program` with its packed weights.
    ///
    /// # Errors
    ///
    /// As [`Plan::new`](super::Plan::new).
    pub fn new(program: Program, weights: impl Into<Arc<Buffer>>) -> Result<Self, ProgramError> {
        let weights = weights.into();
        program.check(weights.len())?;
        Ok(Self::checked(program, weights))
    }

    /// Its packed weights.
    pub fn weights(&self) -> Arc<Buffer> {
        self.weights.clone()
    }

    /// The memory of its packed weights, unless others have it too.
    pub fn into_weights(self) -> Option<Buffer> {
        Arc::into_inner(self.weights)
    }
}
