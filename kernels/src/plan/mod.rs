//! A network as a list of steps over planned memory, and threads that run it.
//!
//! A [`Program`] is plain data: steps of [`cpu`](crate::cpu) that know where their maps and weights
//! lie. A [`Plan`] runs one, as often as wanted, without allocating: all maps lie in one arena, whose
//! size was known when the program was made. Clones share the program and its packed weights and have an
//! arena of their own.
#![allow(unsafe_code)]

mod crew;
#[cfg(any(feature = "ndarray", feature = "flex"))]
mod lend;
mod loaded;
mod machine;
mod phases;
mod pool;
mod run;
mod step;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::cpu::{CheckError, Isa, Kernels, Memory};

pub(crate) use crew::{TeamThread, run_team};
#[cfg(any(feature = "ndarray", feature = "flex"))]
pub(crate) use loaded::{Loaded, Workspace};
pub use machine::Machine;
pub use run::{Plan, RunError};
pub use step::{ProgramStep, Step};

/// A network, ready to run but for its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// The instruction set that its maps and weights are laid out for.
    pub isa: Isa,
    /// Images of the largest batch.
    pub images: usize,
    /// `[channels, height, width]` of an image.
    pub input: [usize; 3],
    /// `[channels, height, width]` of each output; a vector's height and width are 1.
    pub outputs: Vec<[usize; 3]>,
    /// In the order in which they run; some at once, where none of them touches what another writes.
    pub steps: Vec<ProgramStep>,
    /// Elements of the arena.
    pub arena: usize,
    /// Elements of the packed weights.
    pub weights: usize,
}

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

impl Program {
    /// The steps in runs of those that as many images pass together.
    fn segments(&self) -> impl Iterator<Item = &[ProgramStep]> {
        self.steps.chunk_by(|a, b| a.micro_batch == b.micro_batch)
    }

    /// Whether every step stays within the memory that is planned, and this machine can run it. Nothing
    /// is taken on trust: the program may come from a file that anybody wrote.
    fn check(&self, weights: usize) -> Result<(), ProgramError> {
        if !self.isa.is_available() {
            return Err(ProgramError::Isa { isa: self.isa });
        }
        if weights != self.weights {
            return Err(ProgramError::Weights {
                found: weights,
                expected: self.weights,
            });
        }
        let count = |shape: &[usize; 3]| {
            let values = (shape.iter().copied()).try_fold(1, usize::checked_mul)?;
            let all = values.checked_mul(self.images)?;
            (all > 0 && all <= Memory::LARGEST).then_some(values)
        };
        let input = count(&self.input);
        let outputs: Option<Vec<_>> = self.outputs.iter().map(count).collect();
        let (Some(input), Some(outputs)) = (input, outputs) else {
            return Err(ProgramError::Size);
        };
        if self.arena > Memory::LARGEST {
            return Err(ProgramError::Size);
        }
        let kernels = Kernels::get(self.isa);
        let mut memory = Memory {
            lanes: kernels.lanes,
            blocking: kernels.blocking,
            images: self.images,
            micro_batch: 1,
            arena: self.arena,
            weights: self.weights,
            input,
            outputs: &outputs,
        };
        for named in &self.steps {
            let ProgramStep {
                name,
                step,
                micro_batch,
            } = named;
            let least = std::mem::replace(&mut memory.micro_batch, *micro_batch);
            if *micro_batch < least || !memory.is_even(*micro_batch) {
                return Err(ProgramError::MicroBatch {
                    step: name.clone(),
                    found: *micro_batch,
                    least,
                    most: self.images,
                });
            }
            step.check(&memory).map_err(|error| match error {
                CheckError::Outside => ProgramError::Outside { step: name.clone() },
                CheckError::Mismatch(reason) => ProgramError::Mismatch {
                    step: name.clone(),
                    reason: reason.to_owned(),
                },
            })?;
        }
        Ok(())
    }
}
