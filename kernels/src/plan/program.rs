//! A network as plain data: steps over one arena, and the check of a program that comes from a file.

use serde::{Deserialize, Serialize};

use super::error::{ProgramError, RunError};
use super::step::ProgramStep;
use crate::cpu::{CheckError, Isa, Kernels, Memory};

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

impl Program {
    /// The steps in runs of those that as many images pass together.
    pub(super) fn segments(&self) -> impl Iterator<Item = &[ProgramStep]> {
        self.steps.chunk_by(|a, b| a.micro_batch == b.micro_batch)
    }

    /// Whether every step stays within the memory that is planned, and this machine can run it. Nothing
    /// is taken on trust: the program may come from a file that anybody wrote.
    pub(super) fn check(&self, weights: usize) -> Result<(), ProgramError> {
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
            step.operation()
                .check(&memory)
                .map_err(|error| match error {
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

impl Program {
    /// The images of a call whose slices have the right lengths.
    pub(super) fn check_call(
        &self,
        input: &[f32],
        outputs: &[&mut [f32]],
    ) -> Result<usize, RunError> {
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
