//! The steps of a program.

use serde::{Deserialize, Serialize};

use crate::cpu::{Context, Direct, Export, Import, Winograd};

/// A step, and the layer that it computes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Named {
    /// The layer's name, as the graph has it.
    pub name: String,
    /// What it does.
    pub step: Step,
}

/// What a step does. Each is documented where its algorithm is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The caller's images to a map.
    Import(Import),
    /// Direct convolution, pointwise and fully connected layers.
    Direct(Direct),
    /// Convolution by Winograd's algorithm.
    Winograd(Winograd),
    /// A map to the caller's output.
    Export(Export),
}

impl Step {
    /// Elements of its own memory that each thread needs.
    pub fn scratch(&self) -> usize {
        match self {
            Self::Winograd(step) => step.scratch(),
            _ => 0,
        }
    }

    /// This thread's part.
    ///
    /// # Safety
    ///
    /// The program was checked against the arena and weights of `cx`, and every step before this
    /// one has been run by all threads.
    pub(crate) unsafe fn run(&self, cx: &Context) {
        unsafe {
            match self {
                Self::Import(step) => step.run(cx),
                Self::Direct(step) => step.run(cx),
                Self::Winograd(step) => step.run(cx),
                Self::Export(step) => step.run(cx),
            }
        }
    }
}
