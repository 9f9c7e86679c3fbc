//! A step of gradient descent, in place.

use super::super::kernels::Kernels;
use super::super::simd::{Isa, Kernel, Simd};
use super::shared::Shared;
use crate::plan::run_team;

/// How weights move against their gradient `g`: with `h = g + decay w`, `v = momentum v + h`, and
/// `w = w - rate v`; with Nesterov's `w = w - rate (h + momentum v)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SgdParams {
    pub rate: f32,
    pub momentum: f32,
    pub decay: f32,
    pub nesterov: bool,
}

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
        let units = team.share(len.div_ceil(UNIT));
        let part = (units.start * UNIT).min(len)..(units.end * UNIT).min(len);
        // SAFETY: the part is this thread's.
        unsafe {
            code(&SgdStepArgs {
                descent,
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

/// Some weights.
pub(in crate::cpu) struct SgdStepArgs {
    descent: SgdParams,
    weights: *mut f32,
    velocity: *mut f32,
    gradient: *const f32,
    len: usize,
}

/// # Safety
///
/// There are as many weights and velocities as gradients.
pub(in crate::cpu) struct SgdStep;

impl Kernel for SgdStep {
    type Args = SgdStepArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(a: &SgdStepArgs) {
        let SgdParams {
            rate,
            momentum,
            decay,
            nesterov,
        } = a.descent;
        let len = a.len;
        let whole = len / S::LANES * S::LANES;
        unsafe {
            let (rates, momenta, decays) = (S::splat(rate), S::splat(momentum), S::splat(decay));
            let mut at = 0;
            while at < whole {
                let (w, v) = (a.weights.add(at), a.velocity.add(at));
                let weight = S::load(w);
                let h = S::mul_add(decays, weight, S::load(a.gradient.add(at)));
                let speed = S::mul_add(momenta, S::load(v), h);
                let by = match nesterov {
                    true => S::mul_add(momenta, speed, h),
                    false => speed,
                };
                S::store(v, speed);
                S::store(w, S::neg_mul_add(rates, by, weight));
                at += S::LANES;
            }
            for at in whole..len {
                let (w, v) = (a.weights.add(at), a.velocity.add(at));
                let h = decay * *w + *a.gradient.add(at);
                *v = momentum * *v + h;
                let by = if nesterov { momentum * *v + h } else { *v };
                *w -= rate * by;
            }
        }
    }
}

/// The address of its code.
pub(in crate::cpu) type SgdStepFn = unsafe fn(&SgdStepArgs);
