//! Execution of packed programs in memory that each thread keeps.

use std::cell::RefCell;

use crate::plan::{PackedProgram, Workspace};

/// Bytes of maps that a thread keeps for its next convolution.
const KEPT: usize = 64 << 20;

/// Multiply-adds for which waking another thread does not pay: some tens of microseconds.
const ALONE: usize = 1 << 20;

thread_local! {
    static WORKSPACE: RefCell<Workspace> = RefCell::default();
}

/// How many threads so many multiply-adds, or as simple operations, are worth.
pub(super) fn threads(operations: usize) -> usize {
    match operations {
        ..ALONE => 1,
        _ => rayon::current_num_threads(),
    }
}

/// The output of `plan` for these images.
pub(super) fn run(plan: &PackedProgram, threads: usize, images: &[f32]) -> Vec<f32> {
    WORKSPACE.with_borrow_mut(|workspace| {
        let values = plan.run_borrowed(workspace, threads, images);
        if workspace.bytes() > KEPT {
            *workspace = Workspace::default();
        }
        values.expect("whole images")
    })
}
