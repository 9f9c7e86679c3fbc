//! Local response normalization with the exponent 3/4 over planar maps, and its gradient: one
//! vector of pixels, all channels.

use crate::cpu::micro::simd::{MicroKernel, Simd};

/// `x_i / (k + alpha sum_j x_j^2)^(3/4)`, over the channels `j` at most `reach` from `i`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LrnParams {
    pub reach: usize,
    pub alpha: f32,
    pub k: f32,
}

/// One vector of pixels of every channel. Strides are in elements.
pub(crate) struct LrnGradArgs {
    pub params: LrnParams,
    /// Pixels of the first channel.
    pub x: *const f32,
    /// Output gradient with the layout of `x`; if null, the normalization is computed instead of
    /// its gradient.
    pub gradient: *const f32,
    pub to: *mut f32,
    pub channels: usize,
    /// Stride from one channel to the next.
    pub area: usize,
    /// Scratch memory: two vectors per channel.
    pub memory: *mut f32,
}

/// Normalization, or its gradient.
///
/// # Safety
///
/// All memory that [`LrnGradArgs`] describes is readable, and the memory of `to` and the scratch
/// memory is writable.
pub(crate) struct LrnGrad;

impl MicroKernel for LrnGrad {
    type Args = LrnGradArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &LrnGradArgs) {
        let LrnParams { reach, alpha, k } = a.params;
        // SAFETY: the caller guarantees the memory that the arguments describe.
        unsafe {
            let (alphas, ks) = (s.splat(alpha), s.splat(k));
            for channel in 0..a.channels {
                let mut squares = s.zero();
                for other in channel.saturating_sub(reach)..(channel + reach + 1).min(a.channels) {
                    let x = s.load(a.x.add(other * a.area));
                    squares = s.mul_add(x, x, squares);
                }
                let sum = s.mul_add(alphas, squares, ks);
                let scale = s.inverse_three_quarters(sum);
                let x = s.load(a.x.add(channel * a.area));
                if a.gradient.is_null() {
                    s.store(a.to.add(channel * a.area), s.mul(x, scale));
                    continue;
                }
                let gradient = s.load(a.gradient.add(channel * a.area));
                let direct = s.mul(gradient, scale);
                let kept = a.memory.add(2 * channel * S::LANES);
                s.store(kept, direct);
                s.store(kept.add(S::LANES), s.div(s.mul(direct, x), sum));
            }
            if a.gradient.is_null() {
                return;
            }
            let factor = s.splat(1.5 * alpha);
            for channel in 0..a.channels {
                let mut through = s.zero();
                for other in channel.saturating_sub(reach)..(channel + reach + 1).min(a.channels) {
                    let kept = a.memory.add((2 * other + 1) * S::LANES);
                    through = s.add(through, s.load(kept));
                }
                let x = s.load(a.x.add(channel * a.area));
                let direct = s.load(a.memory.add(2 * channel * S::LANES));
                let y = s.neg_mul_add(s.mul(factor, x), through, direct);
                s.store(a.to.add(channel * a.area), y);
            }
        }
    }
}

/// Entry point.
pub(crate) type LrnGradFn = unsafe fn(&LrnGradArgs);
