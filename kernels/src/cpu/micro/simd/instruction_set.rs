//! Vectors of an instruction set, and micro-kernels over any instruction set.

/// An instruction set's vectors of `f32`.
///
/// A value of the type is a token: it exists only in code that [`entry`](Self::entry) compiled for
/// the instruction set, which proves that the processor has it. Arithmetic is therefore safe; only
/// memory accesses are not. Pointers are accessed for [`LANES`](Self::LANES) elements at any
/// alignment.
pub(crate) trait Simd: Copy + 'static {
    /// Elements of a vector; channels of a block.
    const LANES: usize;
    /// Pixels of the largest tile of two blocks: as many accumulators as registers.
    const MR: usize;
    /// Pixels of the largest tile of one block.
    const MR_SINGLE: usize = Self::MR;
    /// Taps of a tile that are unrolled, a divisor of [`LANES`](Self::LANES): more taps mean fewer
    /// branches, but must not spill registers.
    const UNROLL: usize = 4;
    /// Elements of a weight panel (`kc` times `nr`): three eighths of a 32 KiB L1, or more where
    /// the arithmetic of a tap takes as long as loading its weights from L2.
    const KC_NR: usize = 3 << 10;
    /// Elements of a core's private caches that an algorithm may use (`mc` times `kc`).
    const MC_KC: usize = 128 << 10;
    /// Pages by which several concurrent streams of 24-bit weights are prefetched ahead.
    const PREFETCH_PAGES: usize = 2;
    /// Content of a register.
    type Vector: Copy;

    fn zero(self) -> Self::Vector;
    fn splat(self, x: f32) -> Self::Vector;
    /// Prefetches the cache line of `at` into L1. Invalid addresses have no effect.
    #[inline(always)]
    fn prefetch_l1(self, _at: *const f32) {}
    /// Prefetches the cache line of `at` into L2. Invalid addresses have no effect.
    #[inline(always)]
    fn prefetch_l2(self, _at: *const f32) {}
    unsafe fn load(self, from: *const f32) -> Self::Vector;
    unsafe fn store(self, to: *mut f32, x: Self::Vector);
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn div(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a / b` within two roundings, for `b` and `1 / b` well within the range of `f32`.
    #[inline(always)]
    fn quotient(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        self.div(a, b)
    }
    fn sqrt(self, x: Self::Vector) -> Self::Vector;
    /// Exchanges the halves.
    fn swap_halves(self, x: Self::Vector) -> Self::Vector;
    /// `a * b + c`, rounded once where the instruction set has a fused multiply-add.
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// `c - a * b`, rounded once where the instruction set has a fused multiply-add.
    fn neg_mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// Maximum of `bound` and `x`; `x` where it is NaN.
    fn max(self, bound: Self::Vector, x: Self::Vector) -> Self::Vector;
    /// Minimum of `bound` and `x`; `x` where it is NaN.
    fn min(self, bound: Self::Vector, x: Self::Vector) -> Self::Vector;
    /// `x` where `condition` is positive, 0 elsewhere.
    fn where_positive(self, condition: Self::Vector, x: Self::Vector) -> Self::Vector;
    /// Maximum; NaN where either is NaN.
    #[inline(always)]
    fn maximum(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        // `max` keeps a NaN of `b`. Clamping `a` to 0 leaves a NaN of `a`, which is added.
        {
            let nan = self.min(self.zero(), self.max(self.zero(), a));
            self.add(self.max(a, b), nan)
        }
    }
    /// `x^(-3/4)` of positive numbers within 8 roundings (half units in the last place).
    #[inline(always)]
    fn inverse_three_quarters(self, x: Self::Vector) -> Self::Vector {
        let root = self.sqrt(x);
        self.div(self.splat(1.0), self.mul(root, self.sqrt(root)))
    }

    /// `to[column * to_row + row] = from[row * from_row + column]` for 8 rows and 8 columns.
    #[inline(always)]
    unsafe fn transpose_eight(
        self,
        from: *const f32,
        from_row: usize,
        to: *mut f32,
        to_row: usize,
    ) {
        for row in [0, 4] {
            for column in [0, 4] {
                // SAFETY: as the caller guarantees.
                unsafe {
                    let from = from.add(row * from_row + column);
                    self.transpose(from, from_row, to.add(column * to_row + row), to_row);
                }
            }
        }
    }

    /// `to[column * to_row + row] = from[row * from_row + column]` for 4 rows and 4 columns.
    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
        for row in 0..4 {
            for column in 0..4 {
                // SAFETY: as the caller guarantees.
                unsafe { *to.add(column * to_row + row) = *from.add(row * from_row + column) };
            }
        }
    }

    /// Four vectors of 24-bit numbers, scaled by 2^8, from the three vectors of 32-bit integers at
    /// `from`. The first three are the integers, rounded to `f32`; the fourth consists of their
    /// lowest bytes, the first vector's highest.
    unsafe fn unpack(self, from: *const f32) -> [Self::Vector; 4];

    /// Entry point of `K` compiled for this instruction set.
    fn entry<K: MicroKernel>() -> unsafe fn(&K::Args);
}

/// A micro-kernel, written once for any instruction set.
pub(crate) trait MicroKernel {
    /// Arguments.
    type Args;

    /// Executes the micro-kernel. Implementations and all their helpers are `#[inline(always)]`.
    ///
    /// # Safety
    ///
    /// As the micro-kernel documents for its arguments.
    unsafe fn run<S: Simd>(s: S, args: &Self::Args);
}
