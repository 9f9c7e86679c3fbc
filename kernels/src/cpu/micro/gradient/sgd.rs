//! A step of stochastic gradient descent on a range of weights.

use crate::cpu::micro::simd::{MicroKernel, Simd};

/// Hyperparameters of SGD with momentum. With the gradient `g` and `h = g + decay w`: `v = momentum
/// v + h` and `w = w - rate v`, or with Nesterov's momentum `w = w - rate (h + momentum v)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SgdParams {
    pub rate: f32,
    pub momentum: f32,
    pub decay: f32,
    pub nesterov: bool,
}

/// A range of weights.
pub(crate) struct SgdStepArgs {
    pub params: SgdParams,
    pub weights: *mut f32,
    pub velocity: *mut f32,
    pub gradient: *const f32,
    pub len: usize,
}

/// One step.
///
/// # Safety
///
/// The arrays have `len` elements each, of which weights and velocities are writable.
pub(crate) struct SgdStep;

impl MicroKernel for SgdStep {
    type Args = SgdStepArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &SgdStepArgs) {
        let SgdParams {
            rate,
            momentum,
            decay,
            nesterov,
        } = a.params;
        let len = a.len;
        let whole = len / S::LANES * S::LANES;
        // SAFETY: the caller guarantees the memory that the arguments describe.
        unsafe {
            let (rates, momenta, decays) = (s.splat(rate), s.splat(momentum), s.splat(decay));
            let mut at = 0;
            while at < whole {
                let (w, v) = (a.weights.add(at), a.velocity.add(at));
                let weight = s.load(w);
                let h = s.mul_add(decays, weight, s.load(a.gradient.add(at)));
                let speed = s.mul_add(momenta, s.load(v), h);
                let by = match nesterov {
                    true => s.mul_add(momenta, speed, h),
                    false => speed,
                };
                s.store(v, speed);
                s.store(w, s.neg_mul_add(rates, by, weight));
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

/// Entry point.
pub(crate) type SgdStepFn = unsafe fn(&SgdStepArgs);
