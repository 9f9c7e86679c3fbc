//! Depthwise convolution of rows of one block of channels.

use super::activation::Activation;
use super::prefetch::prefetch_rows;
use super::simd::{MicroKernel, Simd};
use crate::threads::partition::Partition;

/// Rows of one block of channels. Strides are in elements; the pixels of a row of `y` and of the
/// residual are adjacent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DepthwiseArgs {
    /// First tap of the first pixel.
    pub x: *const f32,
    /// Strides from the taps of one output row, and of one output pixel, to the next.
    pub x_row: usize,
    pub x_pixel: usize,
    /// Rows and columns of taps, and the strides between them.
    pub kernel: [usize; 2],
    pub x_tap: [usize; 2],
    /// Stride to the next block of channels, which 3x3 kernels prefetch.
    pub x_block: usize,
    /// Bias, then taps; one vector each.
    pub weights: *const f32,
    /// First output pixel.
    pub y: *mut f32,
    pub y_row: usize,
    /// Output rows, and pixels of each.
    pub rows: usize,
    pub width: usize,
    /// Added before the activation, or null.
    pub residual: *const f32,
    pub residual_row: usize,
    pub activation: Activation,
}

/// Evaluates an expression with the number of pixels, at most 8, as a constant.
macro_rules! with_pixels {
    ($pixels:expr, |$p:ident| $call:expr) => {
        with_pixels!(@ $pixels, $p, $call, 1 2 3 4 5 6 7 8)
    };
    (@ $pixels:expr, $p:ident, $call:expr, $($n:literal)*) => {
        match $pixels {
            $($n => { const $p: usize = $n; $call })*
            _ => {}
        }
    };
}

/// 3x3 kernel with horizontal stride `STRIDE`; the taps stay in registers.
///
/// # Safety
///
/// All memory that [`DepthwiseArgs`] describes is readable, and the memory of `y` is writable.
struct ThreeByThree<const STRIDE: usize>;

impl<const STRIDE: usize> MicroKernel for ThreeByThree<STRIDE> {
    type Args = DepthwiseArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &DepthwiseArgs) {
        // SAFETY: the caller guarantees the memory that the arguments describe.
        unsafe {
            let bias = s.load(a.weights);
            let mut taps = [s.zero(); 9];
            for (i, tap) in taps.iter_mut().enumerate() {
                *tap = s.load(a.weights.add((1 + i) * S::LANES));
            }
            // Taps for which no register is left are read from the cache.
            let most = S::MR.min(8);
            let tiles = a.width.div_ceil(most);
            let kinds = Partition::new(a.width, tiles).kinds(tiles);
            for row in 0..a.rows {
                let x = a.x.add(row * a.x_row);
                for (first, pixels, tiles) in kinds {
                    with_pixels!(pixels, |P| {
                        for first in (0..tiles).map(|tile| first + tile * P) {
                            let x = x.add(first * STRIDE * S::LANES);
                            // Earlier rows were prefetched for the output row before.
                            let seen = if row == 0 { 0 } else { 3 - STRIDE };
                            let next = x.wrapping_add(a.x_block + seen * a.x_tap[0]);
                            prefetch_rows::<S>(s, next, a.x_tap[0], [3 - seen, P * STRIDE]);
                            let mut sums = [bias; P];
                            for i in 0..3 {
                                let x = x.add(i * a.x_tap[0]);
                                for j in 0..3 {
                                    let tap = taps[3 * i + j];
                                    for (p, sum) in sums.iter_mut().enumerate() {
                                        let x = s.load(x.add((p * STRIDE + j) * S::LANES));
                                        *sum = s.mul_add(x, tap, *sum);
                                    }
                                }
                            }
                            store::<S, P>(s, a, row, first, sums);
                        }
                    });
                }
            }
        }
    }
}

/// Any kernel with horizontal stride `STRIDE`, or any stride if it is 0.
///
/// # Safety
///
/// As [`ThreeByThree`].
struct AnyKernel<const STRIDE: usize>;

impl<const STRIDE: usize> MicroKernel for AnyKernel<STRIDE> {
    type Args = DepthwiseArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &DepthwiseArgs) {
        let x_pixel = match STRIDE {
            0 => a.x_pixel,
            _ => STRIDE * S::LANES,
        };
        // SAFETY: the caller guarantees the memory that the arguments describe.
        unsafe {
            let bias = s.load(a.weights);
            let tiles = a.width.div_ceil(8);
            let kinds = Partition::new(a.width, tiles).kinds(tiles);
            for row in 0..a.rows {
                let x = a.x.add(row * a.x_row);
                for (first, pixels, tiles) in kinds {
                    with_pixels!(pixels, |P| {
                        for first in (0..tiles).map(|tile| first + tile * P) {
                            let x = x.add(first * x_pixel);
                            let mut sums = [bias; P];
                            let mut weights = a.weights;
                            for i in 0..a.kernel[0] {
                                let mut x = x.add(i * a.x_tap[0]);
                                for _ in 0..a.kernel[1] {
                                    weights = weights.add(S::LANES);
                                    let tap = s.load(weights);
                                    for (p, sum) in sums.iter_mut().enumerate() {
                                        *sum = s.mul_add(s.load(x.add(p * x_pixel)), tap, *sum);
                                    }
                                    x = x.wrapping_add(a.x_tap[1]);
                                }
                            }
                            store::<S, P>(s, a, row, first, sums);
                        }
                    });
                }
            }
        }
    }
}

/// Stores pixels of a row from `first` on, after residual and activation.
#[inline(always)]
unsafe fn store<S: Simd, const P: usize>(
    s: S,
    a: &DepthwiseArgs,
    row: usize,
    first: usize,
    mut sums: [S::Vector; P],
) {
    // SAFETY: as the caller guarantees.
    unsafe {
        if !a.residual.is_null() {
            let residual = a.residual.add(row * a.residual_row + first * S::LANES);
            for (p, sum) in sums.iter_mut().enumerate() {
                *sum = s.add(*sum, s.load(residual.add(p * S::LANES)));
            }
        }
        a.activation
            .apply_all::<S, P, 1>(s, std::array::from_mut(&mut sums));
        let y = a.y.add(row * a.y_row + first * S::LANES);
        for (p, sum) in sums.into_iter().enumerate() {
            s.store(y.add(p * S::LANES), sum);
        }
    }
}

/// Entry point.
pub(crate) type DepthwiseFn = unsafe fn(&DepthwiseArgs);

/// Depthwise micro-kernels of an instruction set, by stride.
pub(crate) struct DepthwiseFns {
    three: [DepthwiseFn; 2],
    any: [DepthwiseFn; 3],
}

impl DepthwiseFns {
    pub fn of<S: Simd>() -> Self {
        Self {
            three: [S::entry::<ThreeByThree<1>>(), S::entry::<ThreeByThree<2>>()],
            any: [
                S::entry::<AnyKernel<0>>(),
                S::entry::<AnyKernel<1>>(),
                S::entry::<AnyKernel<2>>(),
            ],
        }
    }

    /// The fastest micro-kernel for a kernel of `kernel` rows and columns with this horizontal
    /// dilation and stride.
    pub fn get(&self, kernel: [usize; 2], dilation: usize, stride: usize) -> DepthwiseFn {
        match (kernel, dilation, stride) {
            ([3, 3], 1, stride @ 1..=2) => self.three[stride - 1],
            (_, _, stride @ 1..=2) => self.any[stride],
            _ => self.any[0],
        }
    }
}
