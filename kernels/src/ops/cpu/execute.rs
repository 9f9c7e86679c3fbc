//! Execution of packed programs in a workspace that each thread keeps.

use std::cell::RefCell;

use crate::plan::{PackedProgram, Workspace};

/// Largest workspace, in bytes, that a thread keeps for its next operation.
const MAX_KEPT_WORKSPACE_BYTES: usize = 64 << 20;

/// Multiply-adds from which on an operation runs on several threads. Fewer take some tens of
/// microseconds on one thread, and waking another thread would not pay off.
const MIN_PARALLEL_FMAS: usize = 1 << 20;

thread_local! {
    static WORKSPACE: RefCell<Workspace> = RefCell::default();
}

/// Number of threads for an operation of `fmas` multiply-adds, or of as many similar operations.
pub(super) fn threads(fmas: usize) -> usize {
    match fmas {
        ..MIN_PARALLEL_FMAS => 1,
        _ => rayon::current_num_threads(),
    }
}

/// Returns the output of `program` for `images`.
///
/// # Panics
///
/// When `images` is not a whole number of images.
pub(super) fn run(program: &PackedProgram, threads: usize, images: &[f32]) -> Vec<f32> {
    WORKSPACE.with_borrow_mut(|workspace| {
        let values = program.run_borrowed(workspace, threads, images);
        if workspace.bytes() > MAX_KEPT_WORKSPACE_BYTES {
            *workspace = Workspace::default();
        }
        values.expect("the input holds whole images")
    })
}
