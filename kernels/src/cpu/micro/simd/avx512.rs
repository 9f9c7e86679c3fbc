//! AVX-512F: 16 lanes, 32 registers.

use std::arch::x86_64::*;

use super::avx2::Avx2;
use super::instruction_set::{MicroKernel, Simd};

#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Simd for Avx512 {
    const LANES: usize = 16;
    const MR: usize = 14;
    // 28 multiply-adds take as long as two vectors of weights from L2, which holds this panel and
    // the next.
    const KC_NR: usize = 40 << 10;
    // Server processors with AVX-512 have 1 MiB of L2 or more.
    const MC_KC: usize = 256 << 10;
    // With two pages, four streams would take two thirds of L1 and 1.13 times as long (Emerald
    // Rapids).
    const PREFETCH_PAGES: usize = 1;
    type Vector = __m512;

    #[inline(always)]
    fn prefetch_l1(self, at: *const f32) {
        // SAFETY: the token proves AVX-512F, AVX2 and FMA.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
    #[inline(always)]
    fn prefetch_l2(self, at: *const f32) {
        // SAFETY: the token proves AVX-512F, AVX2 and FMA.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
    }
    #[inline(always)]
    fn zero(self) -> __m512 {
        // SAFETY: the token proves AVX-512F, AVX2 and FMA.
        unsafe { _mm512_setzero_ps() }
    }
    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        // SAFETY: the token proves AVX-512F, AVX2 and FMA.
        unsafe { _mm512_set1_ps(x) }
    }
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m512 {
        // SAFETY: the caller guarantees the memory; the token proves AVX-512F, AVX2 and FMA.
        unsafe { _mm512_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, x: __m512) {
        // SAFETY: the caller guarantees the memory; the token proves AVX-512F, AVX2 and FMA.
        unsafe { _mm512_storeu_ps(to, x) }
    }
    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token proves AVX-512F, AVX2 and FMA.
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token proves AVX-512F, AVX2 and FMA.
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token proves AVX-512F, AVX2 and FMA.
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token proves AVX-512F, AVX2 and FMA.
        unsafe { _mm512_div_ps(a, b) }
    }
    #[inline(always)]
    fn quotient(self, a: __m512, b: __m512) -> __m512 {
        // A division of 16 elements takes as long as 30 multiplications.
        // SAFETY: the token proves AVX-512F, AVX2 and FMA.
        unsafe {
            // An estimate within 2^-14, and one correction of the remainder with the same estimate.
            let r = _mm512_rcp14_ps(b);
            let q = _mm512_mul_ps(a, r);
            _mm512_fmadd_ps(r, _mm512_fnmadd_ps(b, q, a), q)
        }
    }
    #[inline(always)]
    fn swap_halves(self, x: __m512) -> __m512 {
        // SAFETY: the token proves AVX-512F, AVX2 and FMA.
        unsafe { _mm512_shuffle_f32x4::<0b01_00_11_10>(x, x) }
    }
    #[inline(always)]
    fn sqrt(self, x: __m512) -> __m512 {
        // SAFETY: the token proves AVX-512F, AVX2 and FMA.
        unsafe { _mm512_sqrt_ps(x) }
    }
    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: the token proves AVX-512F, AVX2 and FMA.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn neg_mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: the token proves AVX-512F, AVX2 and FMA.
        unsafe { _mm512_fnmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn max(self, bound: __m512, x: __m512) -> __m512 {
        // SAFETY: the token proves AVX-512F, AVX2 and FMA.
        unsafe { _mm512_max_ps(bound, x) }
    }
    #[inline(always)]
    fn where_positive(self, condition: __m512, x: __m512) -> __m512 {
        // SAFETY: the token proves AVX-512F, AVX2 and FMA.
        unsafe {
            let positive = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(condition, _mm512_setzero_ps());
            _mm512_maskz_mov_ps(positive, x)
        }
    }
    #[inline(always)]
    fn min(self, bound: __m512, x: __m512) -> __m512 {
        // SAFETY: the token proves AVX-512F, AVX2 and FMA.
        unsafe { _mm512_min_ps(bound, x) }
    }
    #[inline(always)]
    fn maximum(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token proves AVX-512F, AVX2 and FMA.
        unsafe {
            let number = _mm512_cmp_ps_mask::<_CMP_ORD_Q>(a, a);
            _mm512_mask_max_ps(a, number, a, b)
        }
    }
    #[inline(always)]
    fn inverse_three_quarters(self, x: __m512) -> __m512 {
        // `r^2 q` with `r = x^(-1/2)` and `q = r^(-1/2)`: a third of the time of two roots and a
        // division.
        // SAFETY: the token proves AVX-512F, AVX2 and FMA.
        unsafe {
            let r = inverse_root(_mm512_min_ps(_mm512_set1_ps(f32::MAX), x));
            _mm512_mul_ps(_mm512_mul_ps(r, r), inverse_root(r))
        }
    }

    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
        // SAFETY: the caller guarantees the memory; the token proves AVX-512F, AVX2 and FMA.
        unsafe { Avx2::new().transpose(from, from_row, to, to_row) }
    }

    #[inline(always)]
    unsafe fn transpose_eight(
        self,
        from: *const f32,
        from_row: usize,
        to: *mut f32,
        to_row: usize,
    ) {
        // SAFETY: the caller guarantees the memory; the token proves AVX-512F, AVX2 and FMA.
        unsafe { Avx2::new().transpose_eight(from, from_row, to, to_row) }
    }

    #[inline(always)]
    unsafe fn unpack(self, from: *const f32) -> [__m512; 4] {
        // SAFETY: the caller guarantees the memory; the token proves AVX-512F, AVX2 and FMA.
        unsafe {
            let from: *const i32 = from.cast();
            let a = _mm512_loadu_epi32(from);
            let b = _mm512_loadu_epi32(from.add(16));
            let c = _mm512_loadu_epi32(from.add(32));
            let high = _mm512_slli_epi32::<24>(a);
            let middle = _mm512_srli_epi32::<8>(_mm512_slli_epi32::<24>(b));
            let low = _mm512_srli_epi32::<16>(_mm512_slli_epi32::<24>(c));
            let d = _mm512_or_si512(_mm512_or_si512(high, middle), low);
            [
                _mm512_cvtepi32_ps(a),
                _mm512_cvtepi32_ps(b),
                _mm512_cvtepi32_ps(c),
                _mm512_cvtepi32_ps(d),
            ]
        }
    }

    fn entry<K: MicroKernel>() -> unsafe fn(&K::Args) {
        #[target_feature(enable = "avx512f,avx2,fma")]
        unsafe fn compiled<K: MicroKernel>(args: &K::Args) {
            // SAFETY: the caller guarantees the arguments, and that the processor has AVX-512F,
            // AVX2 and FMA.
            unsafe { K::run(Avx512(()), args) }
        }
        compiled::<K>
    }
}

/// `x^(-1/2)`: the processor's 14-bit estimate and one step of Newton's method.
#[inline(always)]
unsafe fn inverse_root(x: __m512) -> __m512 {
    // SAFETY: called with the token of AVX-512F, AVX2 and FMA.
    unsafe {
        let r = _mm512_rsqrt14_ps(x);
        // r + r (1 - x r^2) / 2
        let error = _mm512_fnmadd_ps(_mm512_mul_ps(x, r), r, _mm512_set1_ps(1.0));
        let half = _mm512_mul_ps(r, _mm512_set1_ps(0.5));
        _mm512_fmadd_ps(half, error, r)
    }
}
