//! Errors of programs and of calls to a plan.

use crate::cpu::Isa;

/// A program is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// A step reaches outside the planned memory.
    #[error("step {step} reaches outside the program's memory")]
    Outside {
        /// Name of the step.
        step: String,
    },
    /// The maps of a step do not fit each other or the step.
    #[error("the maps of step {step} do not fit together: {reason}")]
    Mismatch {
        /// Name of the step.
        step: String,
        /// The condition that does not hold.
        reason: String,
    },
    /// The micro-batch of a step is not valid.
    #[error(
        "step {step} has a micro-batch of {found} images, expected {most} or a power of two from {least} to {most}"
    )]
    MicroBatch {
        /// Name of the step.
        step: String,
        /// Micro-batch of the step.
        found: usize,
        /// Micro-batch of the step before.
        least: usize,
        /// Batch size of the program.
        most: usize,
    },
    /// The sizes of the batch, the maps or the arena are zero or exceed the address space.
    #[error("the program's arena, batch or maps are empty or exceed the address space")]
    Size,
    /// The packed weights have the wrong size.
    #[error("the packed weights have {found} elements, expected {expected}")]
    Weights {
        /// Elements found.
        found: usize,
        /// Elements that the program expects.
        expected: usize,
    },
    /// The memory of the maps cannot be allocated.
    #[error("cannot allocate {} MiB for the maps of the program", (elements * 4) >> 20)]
    Memory {
        /// Elements of the arena.
        elements: usize,
    },
    /// An untrusted program takes more memory than the limit.
    #[error(
        "the program takes {} MiB of memory, the limit is {} MiB",
        bytes.div_ceil(1 << 20),
        limit >> 20
    )]
    Limit {
        /// Bytes of maps, scratch memory, input and outputs of the whole batch.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// An untrusted program has an arena that is larger than its maps.
    #[error("the program's arena has {found} elements, its steps use {expected}")]
    UnusedArena {
        /// Elements of the arena.
        found: usize,
        /// Elements up to the last that a step accesses.
        expected: usize,
    },
    /// No step of an untrusted program reads the map that a step writes.
    #[error("nothing reads the map that step {step} writes")]
    UnusedStep {
        /// Name of the step.
        step: String,
    },
    /// An untrusted program has no output, or one that no step writes.
    #[error("the program has {outputs} outputs, and its steps write {written} of them")]
    Unwritten {
        /// Outputs of the program.
        outputs: usize,
        /// Outputs that a step writes.
        written: usize,
    },
    /// The processor lacks the program's instruction set.
    #[error("the program is packed for {isa}, which this machine does not have")]
    Isa {
        /// Instruction set of the program.
        isa: Isa,
    },
}

/// The arguments of a run are invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The input is not a whole number of images.
    #[error("the input has {found} elements, expected a multiple of an image's {image}")]
    Input {
        /// Elements found.
        found: usize,
        /// Elements of an image.
        image: usize,
    },
    /// The batch is empty or larger than the plan's.
    #[error("the batch has {found} images, expected 1 to {most}")]
    Batch {
        /// Images found.
        found: usize,
        /// Largest batch of the plan.
        most: usize,
    },
    /// The number of outputs is wrong.
    #[error("there are {found} outputs, expected {expected}")]
    Outputs {
        /// Outputs found.
        found: usize,
        /// Outputs of the program.
        expected: usize,
    },
    /// An output has the wrong length.
    #[error("output {index} has {found} elements, expected {expected}")]
    Output {
        /// Index of the output.
        index: usize,
        /// Elements found.
        found: usize,
        /// Elements expected.
        expected: usize,
    },
}
