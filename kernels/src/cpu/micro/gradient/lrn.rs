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
    unsafe fn run<S: Simd>(a: &LrnGradArgs) {
        let LrnParams { reach, alpha, k } = a.response;
        unsafe {
            let (alphas, ks) = (S::splat(alpha), S::splat(k));
            for channel in 0..a.channels {
                let mut squares = S::zero();
                for other in channel.saturating_sub(reach)..(channel + reach + 1).min(a.channels) {
                    let x = S::load(a.x.add(other * a.area));
                    squares = S::mul_add(x, x, squares);
                }
                let sum = S::mul_add(alphas, squares, ks);
                let scale = S::inverse_three_quarters(sum);
                let x = S::load(a.x.add(channel * a.area));
                if a.gradient.is_null() {
                    S::store(a.to.add(channel * a.area), S::mul(x, scale));
                    continue;
                }
                let gradient = S::load(a.gradient.add(channel * a.area));
                let direct = S::mul(gradient, scale);
                let kept = a.memory.add(2 * channel * S::LANES);
                S::store(kept, direct);
                S::store(kept.add(S::LANES), S::div(S::mul(direct, x), sum));
            }
            if a.gradient.is_null() {
                return;
            }
            let factor = S::splat(1.5 * alpha);
            for channel in 0..a.channels {
                let mut through = S::zero();
                for other in channel.saturating_sub(reach)..(channel + reach + 1).min(a.channels) {
                    let kept = a.memory.add((2 * other + 1) * S::LANES);
                    through = S::add(through, S::load(kept));
                }
                let x = S::load(a.x.add(channel * a.area));
                let direct = S::load(a.memory.add(2 * channel * S::LANES));
                let y = S::neg_mul_add(S::mul(factor, x), through, direct);
                S::store(a.to.add(channel * a.area), y);
            }
        }
    }
}

/// The address of its code.
pub(crate) type LrnGradFn = unsafe fn(&LrnGradArgs);
