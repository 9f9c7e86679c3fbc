//! Local response normalization over planes with the exponent 3/4, and its gradient: one vector of pixels of all channels.

use crate::cpu::micro::simd::{Kernel, Simd};

/// `x_i / (k + alpha sum_j x_j^2)^(3/4)` over the channels `j` at most `reach` from `i`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LrnParams {
    pub reach: usize,
    pub alpha: f32,
    pub k: f32,
}

/// A vector of pixels of every channel. Strides are in elements.
pub(crate) struct LrnGradArgs {
    pub response: LrnParams,
    /// The first channel's pixels.
    pub x: *const f32,
    /// As `x`, or null: then the response is computed, otherwise its gradient.
    pub gradient: *const f32,
    pub to: *mut f32,
    pub channels: usize,
    /// From one channel to the next.
    pub area: usize,
    /// Two vectors for each channel.
    pub memory: *mut f32,
}

/// # Safety
///
/// All that [`LrnGradArgs`] describes must be there.
pub(crate) struct LrnGrad;

impl Kernel for LrnGrad {
    type Args = LrnGradArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &LrnGradArgs) {
        let LrnParams { reach, alpha, k } = a.response;
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

/// The address of its code.
pub(crate) type LrnGradFn = unsafe fn(&LrnGradArgs);
