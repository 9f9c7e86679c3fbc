//! Execution plans: a network as a program of steps over one arena, and its execution by threads.
//!
//! A [`Program`] is plain data: [steps](Step) that hold the offsets of their maps and weights. A
//! [`Plan`] checks a program and runs it any number of times without allocating: all maps lie in
//! one arena whose size the compiler computed. Clones of a plan share the program and its packed
//! weights and have their own arena.
#![allow(unsafe_code)]

mod error;
mod executable;
mod machine;
mod packed;
mod phases;
mod program;
mod run;
#[cfg(any(feature = "ndarray", feature = "flex"))]
mod run_borrowed;
mod schedule;
mod step;
#[cfg(test)]
mod tests;
mod usage;

pub use error::{ProgramError, RunError};
pub use executable::Plan;
pub use machine::Machine;
#[cfg(any(feature = "ndarray", feature = "flex"))]
pub(crate) use packed::{PackedProgram, Workspace};
pub use program::Program;
pub(crate) use step::ConvStep;
pub use step::{ProgramStep, Step};
