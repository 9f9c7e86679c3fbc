//! A step of gradient descent, in place.

use crate::cpu::micro::gradient::{SgdParams, SgdStepArgs};
use crate::cpu::micro::kernels::Kernels;
use crate::cpu::micro::simd::Isa;
use crate::threads::{Shared, run_team};

/// Moves `weights` and their `velocity`, which a first step finds all zero.
pub(crate) fn sgd_step(
    isa: Isa,
    threads: usize,
    descent: SgdParams,
    weights: &mut [f32],
    gradient: &[f32],
    velocity: &mut [f32],
) {
    let len = weights.len();
    assert!(
        gradient.len() == len && velocity.len() == len,
        "as many gradients and velocities as weights"
    );
    let code = Kernels::get(isa).sgd_step;
    let [weights, velocity] = [weights, velocity].map(Shared::new);
    run_team(threads, &|team| {
        // Whole vectors, so that the same weights are rounded in the same way whoever moves them.
        let units = team.static_range(len.div_ceil(UNIT));
        let part = (units.start * UNIT).min(len)..(units.end * UNIT).min(len);
        // SAFETY: the part is this thread's.
        unsafe {
            code(&SgdStepArgs {
                params: descent,
                weights: weights.at(part.start),
                velocity: velocity.at(part.start),
                gradient: gradient[part.clone()].as_ptr(),
                len: part.len(),
            });
        }
    });
}

/// Weights of which a thread takes all or none: a multiple of every vector's lanes.
const UNIT: usize = 64;
