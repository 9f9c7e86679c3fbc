//! NEON: 4 lanes, 32 registers.

use std::arch::aarch64::*;

use super::instruction_set::{MicroKernel, Simd};

#[derive(Clone, Copy)]
pub(crate) struct Neon(());

impl Simd for Neon {
    const LANES: usize = 4;
    const MR: usize = 14;
    // 28 multiply-adds per two vectors of weights.
    const KC_NR: usize = usize::MAX;
    type Vector = float32x4_t;

    #[inline(always)]
    fn zero(self) -> float32x4_t {
        unsafe { vdupq_n_f32(0.0) }
    }
    #[inline(always)]
    fn splat(self, x: f32) -> float32x4_t {
        unsafe { vdupq_n_f32(x) }
    }
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> float32x4_t {
        unsafe { vld1q_f32(from) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, x: float32x4_t) {
        unsafe { vst1q_f32(to, x) }
    }
    #[inline(always)]
    fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vaddq_f32(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vsubq_f32(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vmulq_f32(a, b) }
    }
    #[inline(always)]
    fn div(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vdivq_f32(a, b) }
    }
    #[inline(always)]
    fn sqrt(self, x: float32x4_t) -> float32x4_t {
        unsafe { vsqrtq_f32(x) }
    }
    #[inline(always)]
    fn swap_halves(self, x: float32x4_t) -> float32x4_t {
        unsafe { vextq_f32::<2>(x, x) }
    }
    #[inline(always)]
    fn mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        unsafe { vfmaq_f32(c, a, b) }
    }
    #[inline(always)]
    fn neg_mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        unsafe { vfmsq_f32(c, a, b) }
    }
    #[inline(always)]
    fn max(self, bound: float32x4_t, x: float32x4_t) -> float32x4_t {
        unsafe { vmaxq_f32(bound, x) }
    }
    #[inline(always)]
    fn where_positive(self, condition: float32x4_t, x: float32x4_t) -> float32x4_t {
        unsafe {
            let positive = vcgtzq_f32(condition);
            vreinterpretq_f32_u32(vandq_u32(positive, vreinterpretq_u32_f32(x)))
        }
    }
    #[inline(always)]
    fn min(self, bound: float32x4_t, x: float32x4_t) -> float32x4_t {
        unsafe { vminq_f32(bound, x) }
    }
    #[inline(always)]
    fn maximum(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vmaxq_f32(a, b) }
    }

    #[inline(always)]
    unsafe fn unpack(self, from: *const f32) -> [float32x4_t; 4] {
        unsafe {
            let from: *const u32 = from.cast();
            let a = vld1q_u32(from);
            let b = vld1q_u32(from.add(4));
            let c = vld1q_u32(from.add(8));
            let high = vshlq_n_u32::<24>(a);
            let middle = vshrq_n_u32::<8>(vshlq_n_u32::<24>(b));
            let low = vshrq_n_u32::<16>(vshlq_n_u32::<24>(c));
            let d = vorrq_u32(vorrq_u32(high, middle), low);
            [
                vcvtq_f32_s32(vreinterpretq_s32_u32(a)),
                vcvtq_f32_s32(vreinterpretq_s32_u32(b)),
                vcvtq_f32_s32(vreinterpretq_s32_u32(c)),
                vcvtq_f32_s32(vreinterpretq_s32_u32(d)),
            ]
        }
    }

    fn entry<K: MicroKernel>() -> unsafe fn(&K::Args) {
        #[target_feature(enable = "neon")]
        unsafe fn compiled<K: MicroKernel>(args: &K::Args) {
            unsafe { K::run(Neon(()), args) }
        }
        compiled::<K>
    }
}
