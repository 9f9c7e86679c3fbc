//! A network as a list of steps over planned memory, and threads that run it.
//!
//! A [`Program`] is plain data: steps of [`cpu`](crate::cpu) that know where their maps and weights
//! lie. A [`Plan`] runs one, as often as wanted, without allocating: all maps lie in one arena, whose
//! size was known when the program was made. Clones share the program and its packed weights and have an
//! arena of their own.
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
mod step;
#[cfg(test)]
mod tests;

pub use error::{ProgramError, RunError};
pub use executable::Plan;
pub use machine::Machine;
#[cfg(any(feature = "ndarray", feature = "flex"))]
pub(crate) use packed::{PackedProgram, Workspace};
pub use program::Program;
pub use step::{ProgramStep, Step};
