//! Sums, products and extrema of vectors in each lane, in `f64`.

use super::simd::{MAX_LANES, MicroKernel, Simd};

/// A function that combines any number of numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Accumulation {
    Sum,
    /// Sum of absolute values.
    Magnitudes,
    /// Sum of squares.
    Squares,
    Product,
    /// Maximum; NaN if any number is.
    Max,
    /// Minimum; NaN if any number is.
    Min,
}

impl Accumulation {
    /// The result without numbers.
    pub fn first(self) -> f64 {
        match self {
            Self::Sum | Self::Magnitudes | Self::Squares => 0.0,
            Self::Product => 1.0,
            Self::Max => f64::NEG_INFINITY,
            Self::Min => f64::INFINITY,
        }
    }

    /// Combines two results.
    #[inline(always)]
    pub fn combine(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Sum | Self::Magnitudes | Self::Squares => a + b,
            Self::Product => a * b,
            Self::Max => maximum(a, b),
            Self::Min => -maximum(-a, -b),
        }
    }
}

/// Maximum; NaN if either is.
#[inline(always)]
pub(crate) fn maximum(a: f64, b: f64) -> f64 {
    if b > a || b.is_nan() { b } else { a }
}

/// Vectors at equal distances, which may overlap.
pub(crate) struct AccumulateArgs {
    pub x: *const f32,
    /// Distance from one vector to the next, in elements.
    pub stride: isize,
    pub count: usize,
    /// Result of each lane so far.
    pub sums: *mut [f64; MAX_LANES],
}

/// Combines vectors by `OP`, an [`Accumulation`].
///
/// # Safety
///
/// All memory that [`AccumulateArgs`] describes is readable, and `sums` is writable.
struct Accumulate<const OP: usize>;

const SUM: usize = Accumulation::Sum as usize;
const MAGNITUDES: usize = Accumulation::Magnitudes as usize;
const SQUARES: usize = Accumulation::Squares as usize;
const PRODUCT: usize = Accumulation::Product as usize;
const MAX: usize = Accumulation::Max as usize;

impl<const OP: usize> MicroKernel for Accumulate<OP> {
    type Args = AccumulateArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(_: S, a: &AccumulateArgs) {
        // SAFETY: the caller guarantees the memory that the arguments describe.
        unsafe {
            let mut sums = *a.sums;
            let mut x = a.x;
            for _ in 0..a.count {
                for lane in 0..S::LANES {
                    let value = f64::from(*x.add(lane));
                    let sum = sums[lane];
                    sums[lane] = match OP {
                        SUM => sum + value,
                        MAGNITUDES => sum + value.abs(),
                        SQUARES => sum + value * value,
                        PRODUCT => sum * value,
                        MAX => Accumulation::Max.combine(sum, value),
                        _ => Accumulation::Min.combine(sum, value),
                    };
                }
                x = x.wrapping_offset(a.stride);
            }
            *a.sums = sums;
        }
    }
}

/// Entry point.
pub(crate) type AccumulateFn = unsafe fn(&AccumulateArgs);

/// Functions of an instruction set.
pub(crate) struct AccumulateFns([AccumulateFn; 6]);

impl AccumulateFns {
    pub fn of<S: Simd>() -> Self {
        Self([
            S::entry::<Accumulate<SUM>>(),
            S::entry::<Accumulate<MAGNITUDES>>(),
            S::entry::<Accumulate<SQUARES>>(),
            S::entry::<Accumulate<PRODUCT>>(),
            S::entry::<Accumulate<MAX>>(),
            S::entry::<Accumulate<{ Accumulation::Min as usize }>>(),
        ])
    }

    pub fn get(&self, accumulation: Accumulation) -> AccumulateFn {
        self.0[accumulation as usize]
    }
}
