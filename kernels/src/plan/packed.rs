//! A program with its packed weights, and the memory that an execution writes to.

use std::sync::Arc;

use super::error::ProgramError;
use super::phases;
use super::program::Program;
use crate::cpu::{Buffer, Kernels};

/// A checked program with its packed weights. Callers provide the [`Workspace`].
pub(crate) struct PackedProgram {
    pub(super) program: Program,
    pub(super) weights: Arc<Buffer>,
    pub(super) kernels: &'static Kernels,
    /// Whether each step is the last one of a phase.
    pub(super) ends_phase: Vec<bool>,
    /// Whether every image has its own region of the arena in all steps.
    pub(super) separate: bool,
    /// Elements of scratch memory that each thread needs.
    pub(super) scratch: usize,
}

/// Arena, scratch memory and output addresses of an execution. A workspace may serve several
/// programs, one after the other.
#[derive(Default)]
pub(crate) struct Workspace {
    pub(super) arena: Buffer,
    pub(super) scratch: Buffer,
    /// Addresses of the outputs of the current execution.
    pub(super) outputs: Vec<*mut f32>,
}

// SAFETY: the addresses are used only by an execution, which borrows the workspace mutably.
unsafe impl Send for Workspace {}

// SAFETY: a shared reference gives access to lengths only.
unsafe impl Sync for Workspace {}

impl Workspace {
    /// A workspace large enough to execute `packed` on `threads` threads.
    pub(super) fn of(packed: &PackedProgram, threads: usize) -> Self {
        let mut workspace = Self::default();
        workspace.fit(packed, threads);
        workspace
    }

    /// As [`of`](Self::of); `None` if the memory cannot be allocated.
    pub(super) fn try_of(packed: &PackedProgram, threads: usize) -> Option<Self> {
        let mut workspace = Self {
            arena: Buffer::try_zeroed(packed.program.arena)?,
            scratch: Buffer::try_zeroed(packed.scratch.saturating_mul(threads))?,
            outputs: Vec::new(),
        };
        workspace.fit(packed, threads);
        Some(workspace)
    }

    /// Grows the buffers to the size that `packed` needs on `threads` threads.
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
    /// Packs a checked program with its weights.
    pub(super) fn checked(program: Program, weights: Arc<Buffer>) -> Self {
        let scratch = program
            .steps
            .iter()
            .map(|step| step.step.operation().scratch())
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
    /// Size in bytes.
    pub fn bytes(&self) -> usize {
        (self.arena.len() + self.scratch.len()) * size_of::<f32>()
    }
}

#[cfg(any(feature = "ndarray", feature = "flex"))]
impl PackedProgram {
    /// Checks `program` and combines it with its packed weights.
    ///
    /// # Errors
    ///
    /// As [`Plan::new`](super::Plan::new).
    pub fn new(program: Program, weights: impl Into<Arc<Buffer>>) -> Result<Self, ProgramError> {
        let weights = weights.into();
        program.check(weights.len())?;
        Ok(Self::checked(program, weights))
    }

    /// Packed weights.
    pub fn weights(&self) -> Arc<Buffer> {
        self.weights.clone()
    }

    /// Takes back the memory of the packed weights; `None` while another program shares them.
    pub fn into_weights(self) -> Option<Buffer> {
        Arc::into_inner(self.weights)
    }
}
