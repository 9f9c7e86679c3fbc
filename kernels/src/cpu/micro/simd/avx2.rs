//! AVX2 with FMA: 8 lanes, 16 registers.

use std::arch::x86_64::*;

use super::instruction_set::{MicroKernel, Simd};

#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// Token of AVX2 and FMA.
    ///
    /// # Safety
    ///
    /// The processor has AVX2 and FMA.
    #[inline(always)]
    pub(super) unsafe fn new() -> Self {
        Self(())
    }
}

impl Simd for Avx2 {
    const LANES: usize = 8;
    const MR: usize = 6;
    const MR_SINGLE: usize = 8;
    const UNROLL: usize = 8;
    type Vector = __m256;

    #[inline(always)]
    fn prefetch_l1(self, at: *const f32) {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
    #[inline(always)]
    fn prefetch_l2(self, at: *const f32) {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
    }
    #[inline(always)]
    fn zero(self) -> __m256 {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { _mm256_setzero_ps() }
    }
    #[inline(always)]
    fn splat(self, x: f32) -> __m256 {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { _mm256_set1_ps(x) }
    }
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m256 {
        // SAFETY: the caller guarantees the memory; the token proves AVX2 and FMA.
        unsafe { _mm256_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, x: __m256) {
        // SAFETY: the caller guarantees the memory; the token proves AVX2 and FMA.
        unsafe { _mm256_storeu_ps(to, x) }
    }
    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { _mm256_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { _mm256_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { _mm256_div_ps(a, b) }
    }
    #[inline(always)]
    fn sqrt(self, x: __m256) -> __m256 {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { _mm256_sqrt_ps(x) }
    }
    #[inline(always)]
    fn swap_halves(self, x: __m256) -> __m256 {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { _mm256_permute2f128_ps::<1>(x, x) }
    }
    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn neg_mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { _mm256_fnmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn max(self, bound: __m256, x: __m256) -> __m256 {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { _mm256_max_ps(bound, x) }
    }
    #[inline(always)]
    fn where_positive(self, condition: __m256, x: __m256) -> __m256 {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe {
            let positive = _mm256_cmp_ps::<_CMP_GT_OQ>(condition, _mm256_setzero_ps());
            _mm256_and_ps(positive, x)
        }
    }
    #[inline(always)]
    fn min(self, bound: __m256, x: __m256) -> __m256 {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { _mm256_min_ps(bound, x) }
    }
    #[inline(always)]
    fn maximum(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe {
            let nan = _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a);
            _mm256_blendv_ps(_mm256_max_ps(a, b), a, nan)
        }
    }

    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
        // SAFETY: the caller guarantees the memory; the token proves AVX2 and FMA.
        unsafe {
            let row = |i: usize| _mm_loadu_ps(from.add(i * from_row));
            let (mut a, mut b, mut c, mut d) = (row(0), row(1), row(2), row(3));
            _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
            for (i, column) in [a, b, c, d].into_iter().enumerate() {
                _mm_storeu_ps(to.add(i * to_row), column);
            }
        }
    }

    #[inline(always)]
    unsafe fn transpose_eight(
        self,
        from: *const f32,
        from_row: usize,
        to: *mut f32,
        to_row: usize,
    ) {
        // SAFETY: the caller guarantees the memory; the token proves AVX2 and FMA.
        unsafe {
            for half in [0, 4] {
                // Four columns of rows `i` and `i + 4`: both halves are transposed at once.
                let rows = |i: usize| {
                    let at = |row: usize| _mm_loadu_ps(from.add(row * from_row + half));
                    _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(at(i)), at(i + 4))
                };
                let (a, b, c, d) = (rows(0), rows(1), rows(2), rows(3));
                let [ab, cd] = [_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d)];
                let [ba, dc] = [_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d)];
                let columns = [
                    _mm256_shuffle_ps::<0b01_00_01_00>(ab, cd),
                    _mm256_shuffle_ps::<0b11_10_11_10>(ab, cd),
                    _mm256_shuffle_ps::<0b01_00_01_00>(ba, dc),
                    _mm256_shuffle_ps::<0b11_10_11_10>(ba, dc),
                ];
                for (i, column) in columns.into_iter().enumerate() {
                    _mm256_storeu_ps(to.add((half + i) * to_row), column);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn unpack(self, from: *const f32) -> [__m256; 4] {
        // SAFETY: the caller guarantees the memory; the token proves AVX2 and FMA.
        unsafe {
            let from: *const __m256i = from.cast();
            let a = _mm256_loadu_si256(from);
            let b = _mm256_loadu_si256(from.add(1));
            let c = _mm256_loadu_si256(from.add(2));
            let high = _mm256_slli_epi32::<24>(a);
            let middle = _mm256_srli_epi32::<8>(_mm256_slli_epi32::<24>(b));
            let low = _mm256_srli_epi32::<16>(_mm256_slli_epi32::<24>(c));
            let d = _mm256_or_si256(_mm256_or_si256(high, middle), low);
            [
                _mm256_cvtepi32_ps(a),
                _mm256_cvtepi32_ps(b),
                _mm256_cvtepi32_ps(c),
                _mm256_cvtepi32_ps(d),
            ]
        }
    }

    fn entry<K: MicroKernel>() -> unsafe fn(&K::Args) {
        #[target_feature(enable = "avx2,fma")]
        unsafe fn compiled<K: MicroKernel>(args: &K::Args) {
            // SAFETY: the caller guarantees the arguments, and that the processor has AVX2 and FMA.
            unsafe { K::run(Avx2(()), args) }
        }
        compiled::<K>
    }
}
