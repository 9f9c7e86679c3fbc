//! In-place step of stochastic gradient descent.

use crate::cpu::micro::gradient::{SgdParams, SgdStepArgs};
use crate::cpu::micro::kernels::Kernels;
use crate::cpu::micro::simd::Isa;
use crate::threads::{Shared, run_team};

/// Granularity of the partition among threads, in weights: a multiple of the lanes of every
/// instruction set.
const CHUNK_WEIGHTS: usize = 64;

/// Updates `weights` and their `velocity`, which must be zero in the first step.
///
/// # Panics
///
/// When the lengths of the arrays differ.
pub(crate) fn sgd_step(
    isa: Isa,
    threads: usize,
    params: SgdParams,
    weights: &mut [f32],
    gradient: &[f32],
    velocity: &mut [f32],
) {
    let len = weights.len();
    assert!(
        gradient.len() == len && velocity.len() == len,
        "the gradient and the velocity must have the length of the weights"
    );
    let code = Kernels::get(isa).sgd_step;
    let [weights, velocity] = [weights, velocity].map(Shared::new);
    run_team(threads, &|part| {
        // Ranges start at whole vectors, so that rounding does not depend on the number of threads.
        let chunks = part.static_range(len.div_ceil(CHUNK_WEIGHTS));
        let range = (chunks.start * CHUNK_WEIGHTS).min(len)..(chunks.end * CHUNK_WEIGHTS).min(len);
        // SAFETY: the range lies within all three arrays, and only this thread writes it.
        unsafe {
            code(&SgdStepArgs {
                params,
                weights: weights.at(range.start),
                velocity: velocity.at(range.start),
                gradient: gradient[range.clone()].as_ptr(),
                len: range.len(),
            });
        }
    });
}
