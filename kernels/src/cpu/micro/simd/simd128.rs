//! WebAssembly's 128-bit vectors: 4 lanes. Engines have at least 16 registers for them. Products
//! and sums are rounded separately, since fused multiply-adds are relaxed SIMD, which engines may
//! lack.

use std::arch::wasm32::*;

use super::instruction_set::{MicroKernel, Simd};

#[derive(Clone, Copy)]
pub(crate) struct Simd128(());

impl Simd for Simd128 {
    const LANES: usize = 4;
    const MR: usize = 6;
    type Vector = v128;

    #[inline(always)]
    fn zero(self) -> v128 {
        f32x4_splat(0.0)
    }
    #[inline(always)]
    fn splat(self, x: f32) -> v128 {
        f32x4_splat(x)
    }
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> v128 {
        unsafe { v128_load(from.cast()) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, x: v128) {
        unsafe { v128_store(to.cast(), x) }
    }
    #[inline(always)]
    fn add(self, a: v128, b: v128) -> v128 {
        f32x4_add(a, b)
    }
    #[inline(always)]
    fn sub(self, a: v128, b: v128) -> v128 {
        f32x4_sub(a, b)
    }
    #[inline(always)]
    fn mul(self, a: v128, b: v128) -> v128 {
        f32x4_mul(a, b)
    }
    #[inline(always)]
    fn div(self, a: v128, b: v128) -> v128 {
        f32x4_div(a, b)
    }
    #[inline(always)]
    fn sqrt(self, x: v128) -> v128 {
        f32x4_sqrt(x)
    }
    #[inline(always)]
    fn swap_halves(self, x: v128) -> v128 {
        i64x2_shuffle::<1, 0>(x, x)
    }
    #[inline(always)]
    fn mul_add(self, a: v128, b: v128, c: v128) -> v128 {
        f32x4_add(f32x4_mul(a, b), c)
    }
    #[inline(always)]
    fn neg_mul_add(self, a: v128, b: v128, c: v128) -> v128 {
        f32x4_sub(c, f32x4_mul(a, b))
    }
    #[inline(always)]
    fn max(self, bound: v128, x: v128) -> v128 {
        f32x4_pmax(x, bound)
    }
    #[inline(always)]
    fn where_positive(self, condition: v128, x: v128) -> v128 {
        v128_and(f32x4_gt(condition, f32x4_splat(0.0)), x)
    }
    #[inline(always)]
    fn min(self, bound: v128, x: v128) -> v128 {
        f32x4_pmin(x, bound)
    }
    #[inline(always)]
    fn maximum(self, a: v128, b: v128) -> v128 {
        f32x4_max(a, b)
    }

    #[inline(always)]
    unsafe fn unpack(self, from: *const f32) -> [v128; 4] {
        unsafe {
            let from: *const v128 = from.cast();
            let a = v128_load(from);
            let b = v128_load(from.add(1));
            let c = v128_load(from.add(2));
            let high = i32x4_shl(a, 24);
            let middle = u32x4_shr(i32x4_shl(b, 24), 8);
            let low = u32x4_shr(i32x4_shl(c, 24), 16);
            let d = v128_or(v128_or(high, middle), low);
            [
                f32x4_convert_i32x4(a),
                f32x4_convert_i32x4(b),
                f32x4_convert_i32x4(c),
                f32x4_convert_i32x4(d),
            ]
        }
    }

    fn entry<K: MicroKernel>() -> unsafe fn(&K::Args) {
        #[target_feature(enable = "simd128")]
        unsafe fn compiled<K: MicroKernel>(args: &K::Args) {
            unsafe { K::run(Simd128(()), args) }
        }
        compiled::<K>
    }
}
