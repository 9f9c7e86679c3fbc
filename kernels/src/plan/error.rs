//! Errors of programs and of calls to a plan.

use crate::cpu::Isa;

/// What is wrong with a program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// A step reaches outside the memory that was planned.
    #[error("step {step} reaches outside the program's memory")]
    Outside {
        /// Its name.
        step: String,
    },
    /// The maps of a step do not fit together.
    #[error("the maps of step {step} do not fit micro_batch: {reason}")]
    Mismatch {
        /// Its name.
        step: String,
        /// What does not fit.
        reason: String,
    },
    /// A step lets another number of images pass together than it may.
    #[error(
        "{found} images pass step {step} micro_batch, expected {most} or a power of two from {least} to that"
    )]
    MicroBatch {
        /// Its name.
        step: String,
        /// What it says.
        found: usize,
        /// Those of the step before.
        least: usize,
        /// Images of the largest batch.
        most: usize,
    },
    /// There cannot be as much memory, or there are no images.
    #[error(
        "the program's memory, or a batch of its images, is more than there can be, or nothing"
    )]
    Size,
    /// Packed weights of another size.
    #[error("the packed weights have {found} elements, expected {expected}")]
    Weights {
        /// What there is.
        found: usize,
        /// What the program says.
        expected: usize,
    },
    /// The instruction set is not there.
    #[error("the program is packed for {isa}, which this machine does not have")]
    Isa {
        /// The instruction set.
        isa: Isa,
    },
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
