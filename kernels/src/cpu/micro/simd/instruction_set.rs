//! One instruction set's vectors of `f32`, and micro-kernels over any of them.

/// Vectors of `f32` in one instruction set.
///
/// # Safety
///
/// Every function needs its instruction set to be present, and is sound only when it is inlined into
/// code compiled for it, which [`entry`](Self::entry) sees to. Pointers are read or written for
/// [`LANES`](Self::LANES) elements, at any alignment.
pub(crate) trait Simd: Copy + 'static {
    /// Elements of a vector; channels of a block.
    const LANES: usize;
    /// Pixels of the widest tile of two blocks: as many accumulators as the registers hold.
    const TILE: usize;
    /// Pixels of the widest tile of one block.
    const ALONE: usize = Self::TILE;
    /// Taps of a tile that are written out one after the other, of the [`LANES`](Self::LANES) that a block has:
    /// the more, the fewer branches; but no more than find registers.
    const STEPS: usize = 4;
    /// Elements of weights that tile after tile reads from the nearest cache, three eighths of 32 KiB; all of
    /// them where a step's multiplications take as long as its weights take to come from the next cache.
    const PANEL: usize = 3 << 10;
    /// Elements of a core's own caches that a kernel may count on.
    const CACHE: usize = 128 << 10;
    /// Pages before its turn that each stream of weights in 24 bits is asked for, where several come from memory at once.
    const PAGES: usize = 2;
    /// A register's content.
    type Vector: Copy;

    fn zero(self) -> Self::Vector;
    fn splat(self, x: f32) -> Self::Vector;
    /// Brings the cache line of `at` into the nearest cache, whatever the address.
    #[inline(always)]
    fn prefetch_l1(self, _at: *const f32) {}
    /// Brings the cache line of `at` into the core's larger cache, whatever the address.
    #[inline(always)]
    fn prefetch_l2(self, _at: *const f32) {}
    unsafe fn load(self, from: *const f32) -> Self::Vector;
    unsafe fn store(self, to: *mut f32, x: Self::Vector);
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn div(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a / b` within two roundings, where neither `b` nor its inverse is near the ends of a float's range.
    #[inline(always)]
    fn quotient(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        self.div(a, b)
    }
    fn sqrt(self, x: Self::Vector) -> Self::Vector;
    /// The second half before the first.
    fn swap_halves(self, x: Self::Vector) -> Self::Vector;
    /// `a * b + c`; rounded once where the instruction set can.
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// `c - a * b`; rounded once where the instruction set can.
    fn neg_mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// The greater; `x` where it is not a number.
    fn max(self, bound: Self::Vector, x: Self::Vector) -> Self::Vector;
    /// The smaller; `x` where it is not a number.
    fn min(self, bound: Self::Vector, x: Self::Vector) -> Self::Vector;
    /// `x` where `condition` is above 0, otherwise 0.
    fn where_positive(self, condition: Self::Vector, x: Self::Vector) -> Self::Vector;
    /// The greater; not a number where either is not.
    #[inline(always)]
    fn maximum(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        // `max` keeps a NaN of `b`. That of `a` is what is left of it between 0 and 0.
        {
            let nan = self.min(self.zero(), self.max(self.zero(), a));
            self.add(self.max(a, b), nan)
        }
    }
    /// `x^(-3/4)` of positive numbers, within 8 roundings (half units in the last place).
    #[inline(always)]
    fn inverse_three_quarters(self, x: Self::Vector) -> Self::Vector {
        let root = self.sqrt(x);
        self.div(self.splat(1.0), self.mul(root, self.sqrt(root)))
    }

    /// `to[column * to_row + row] = from[row * from_row + column]`, eight rows and eight columns.
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
                unsafe {
                    let from = from.add(row * from_row + column);
                    self.transpose(from, from_row, to.add(column * to_row + row), to_row);
                }
            }
        }
    }

    /// `to[column * to_row + row] = from[row * from_row + column]`, four rows and four columns.
    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
        for row in 0..4 {
            for column in 0..4 {
                unsafe { *to.add(column * to_row + row) = *from.add(row * from_row + column) };
            }
        }
    }

    /// Four vectors of numbers of 24 bits, scaled by 2^8, from the three vectors of integers at `from`: each of the
    /// first three numbers is an integer, rounded, and the fourth consists of their lowest bytes, the first's the
    /// highest.
    unsafe fn unpack(self, from: *const f32) -> [Self::Vector; 4];

    /// The kernel compiled for this instruction set.
    fn entry<K: Kernel>() -> unsafe fn(&K::Args);
}

/// An innermost function, written over any instruction set.
pub(crate) trait Kernel {
    /// What it is given.
    type Args;

    /// Computes. Implementations are `#[inline(always)]`, down to their last helper.
    ///
    /// # Safety
    ///
    /// As the kernel says of its arguments.
    unsafe fn run<S: Simd>(s: S, args: &Self::Args);
}
