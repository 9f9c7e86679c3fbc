//! Depthwise convolution of rows of one block of channels.

use super::activation::Activation;
use super::prefetch::bring;
use super::simd::{Kernel, Simd};
use crate::threads::partition::Partition;

/// Some rows of one block: what is read and written. Strides are in elements; the pixels of a row
/// of `y` and of the residual are adjacent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DepthwiseArgs {
    /// The first pixel's first tap.
    pub x: *const f32,
    /// From one output row's, and one output pixel's, taps to the next.
    pub x_row: usize,
    pub x_pixel: usize,
    /// Rows and columns of taps, and from one to the next.
    pub kernel: [usize; 2],
    pub x_tap: [usize; 2],
    /// To the next block's taps, which kernels of 3x3 bring nearer meanwhile.
    pub x_block: usize,
    /// The bias, then the taps: vectors.
    pub weights: *const f32,
    /// The first pixel.
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

/// Runs a block with a constant for its number of pixels, at most 8.
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

/// A kernel of 3x3, whose taps stay in registers, moved by `STRIDE` pixels.
///
/// # Safety
///
/// All that [`DepthwiseArgs`] describes must be readable, and `y` writable.
struct Three<const STRIDE: usize>;

impl<const STRIDE: usize> Kernel for Three<STRIDE> {
    type Args = DepthwiseArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &DepthwiseArgs) {
        unsafe {
            let bias = s.load(a.weights);
            let mut taps = [s.zero(); 9];
            for (i, tap) in taps.iter_mut().enumerate() {
                *tap = s.load(a.weights.add((1 + i) * S::LANES));
            }
            // Taps that find no register beside the sums are read from the cache.
            let most = S::TILE.min(8);
            let tiles = a.width.div_ceil(most);
            let kinds = Partition::new(a.width, tiles).kinds(tiles);
            for row in 0..a.rows {
                let x = a.x.add(row * a.x_row);
                for (first, pixels, tiles) in kinds {
                    with_pixels!(pixels, |P| {
                        for first in (0..tiles).map(|tile| first + tile * P) {
                            let x = x.add(first * STRIDE * S::LANES);
                            // The rows before are those of the output row before.
                            let seen = if row == 0 { 0 } else { 3 - STRIDE };
                            let next = x.wrapping_add(a.x_block + seen * a.x_tap[0]);
                            bring::<S>(s, next, a.x_tap[0], [3 - seen, P * STRIDE]);
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

/// Any kernel, moved by `STRIDE` pixels, or by any number of them if it is 0.
///
/// # Safety
///
/// As [`Three`].
struct Any<const STRIDE: usize>;

impl<const STRIDE: usize> Kernel for Any<STRIDE> {
    type Args = DepthwiseArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &DepthwiseArgs) {
        let x_pixel = match STRIDE {
            0 => a.x_pixel,
            _ => STRIDE * S::LANES,
        };
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

/// The pixels of a row from `first` on.
#[inline(always)]
unsafe fn store<S: Simd, const P: usize>(
    s: S,
    a: &DepthwiseArgs,
    row: usize,
    first: usize,
    mut sums: [S::Vector; P],
) {
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

/// The address of a kernel's code.
pub(crate) type DepthwiseFn = unsafe fn(&DepthwiseArgs);

/// The depthwise kernels of an instruction set, by the stride.
pub(crate) struct DepthwiseFns {
    three: [DepthwiseFn; 2],
    any: [DepthwiseFn; 3],
}

impl DepthwiseFns {
    pub fn of<S: Simd>() -> Self {
        Self {
            three: [S::entry::<Three<1>>(), S::entry::<Three<2>>()],
            any: [
                S::entry::<Any<0>>(),
                S::entry::<Any<1>>(),
                S::entry::<Any<2>>(),
            ],
        }
    }

    /// The fastest micro-kernel for a kernel of `kernel` rows and columns, with this dilation and stride
    /// along a row.
    pub fn get(&self, kernel: [usize; 2], dilation: usize, stride: usize) -> DepthwiseFn {
        match (kernel, dilation, stride) {
            ([3, 3], 1, stride @ 1..=2) => self.three[stride - 1],
            (_, _, stride @ 1..=2) => self.any[stride],
            _ => self.any[0],
        }
    }
}
