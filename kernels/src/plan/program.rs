//! Programs: a network as plain data, and the check of programs from untrusted files.

use serde::{Deserialize, Serialize};

use super::error::{ProgramError, RunError};
use super::step::ProgramStep;
use crate::cpu::{CheckError, Isa, Kernels, Memory};

/// A network as steps over one arena. Plain data, without weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// Instruction set whose blocked layout the maps and weights have.
    pub isa: Isa,
    /// Batch size: the most images of one run.
    pub images: usize,
    /// `[channels, height, width]` of an image.
    pub input: [usize; 3],
    /// `[channels, height, width]` of each output; a vector's height and width are 1.
    pub outputs: Vec<[usize; 3]>,
    /// Steps in execution order. Steps that access disjoint memory may run concurrently.
    pub steps: Vec<ProgramStep>,
    /// Elements of the arena.
    pub arena: usize,
    /// Elements of the packed weights of all steps.
    pub weights: usize,
}

impl Program {
    /// Checks that every step stays within the planned memory and that the processor can run the
    /// program, without trusting any field: the program may come from an untrusted file. `weights`
    /// is the number of packed weights present.
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
        for program_step in &self.steps {
            let ProgramStep {
                name,
                step,
                micro_batch,
            } = program_step;
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
    /// Checks the lengths of a call's slices and returns the number of images.
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
