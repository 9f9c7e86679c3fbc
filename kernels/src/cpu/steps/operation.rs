//! The contract of every step of a plan.

use crate::cpu::layout::{AccessSet, CheckError, Context, Memory};

/// A step of a plan: one algorithm on maps of known layout.
///
/// The type of a step, [`plan::Step`](crate::plan::Step), selects an implementation in one place,
/// so that a new step cannot be left out of any of these methods.
pub(crate) trait Operation {
    /// Maps that the step reads, and the map or output that it writes.
    fn accesses(&self) -> AccessSet;

    /// Checks that the step accesses only `memory`. Recomputes derived fields, since no field is
    /// trusted.
    fn check(&self, memory: &Memory) -> Result<(), CheckError>;

    /// Elements of scratch memory that each thread needs.
    fn scratch(&self) -> usize {
        0
    }

    /// Computes the range of the step that is assigned to the thread of `cx`, and, with
    /// [work stealing](Context::stealable), what is left of the ranges of other threads. Only their
    /// borders may be left, which [`steal_borders`](Context::steal_borders) zeroes.
    ///
    /// # Safety
    ///
    /// The step was checked against the arena and the weights of `cx`, which has
    /// [`scratch`](Self::scratch) elements of scratch memory for this thread alone, and no other
    /// step that runs at the same time [conflicts](AccessSet::is_disjoint) with this one.
    unsafe fn run(&self, cx: &Context);
}
