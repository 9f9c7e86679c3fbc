//! Register tile of a weight's gradient: sums over pixels of products of channels.
//!
//! The [tile](crate::cpu::micro::tile) of a convolution holds pixels by output channels and sums
//! over input channels and taps. This tile holds input channels by output channels of one tap and
//! sums over pixels: for each pixel, `P` inputs are broadcast and multiplied with `B` vectors of
//! the output gradient.

use crate::cpu::micro::simd::{MicroKernel, Simd};
use crate::cpu::micro::tile::tap;

/// Pixels to sum over. Strides are in elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WeightGradArgs {
    /// Input channels of the first pixel, adjacent, and strides from one image, row and pixel to
    /// the next.
    pub x: *const f32,
    pub x_image: usize,
    pub x_row: usize,
    pub x_pixel: usize,
    /// Output gradient of the first pixel: two vectors per pixel; pixels are adjacent.
    pub gradient: *const f32,
    pub gradient_image: usize,
    pub gradient_row: usize,
    pub images: usize,
    pub rows: usize,
    pub columns: usize,
    /// Two vectors per input channel, to which the sums are added.
    pub sums: *mut f32,
}

/// Tile of `P` input channels by the first `B` of two vectors of output channels.
///
/// # Safety
///
/// All memory that [`WeightGradArgs`] describes is readable, and the memory of the sums is
/// writable.
struct WeightGradTile<const B: usize, const P: usize>;

impl<const B: usize, const P: usize> MicroKernel for WeightGradTile<B, P> {
    type Args = WeightGradArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &WeightGradArgs) {
        // SAFETY: the caller guarantees the memory that the arguments describe.
        unsafe {
            let mut sums = [[s.zero(); B]; P];
            for image in 0..a.images {
                for row in 0..a.rows {
                    let mut x = a.x.add(image * a.x_image + row * a.x_row);
                    let from = image * a.gradient_image + row * a.gradient_row;
                    let mut gradient = a.gradient.add(from);
                    let mut left = a.columns;
                    // Unrolled by 4: a branch per pixel would take a large fraction of the time of
                    // its arithmetic.
                    for unroll in [4, 1] {
                        while left >= unroll {
                            for _ in 0..unroll {
                                tap::<S, B, P>(s, x, 1, (gradient, 0), &mut sums);
                                x = x.wrapping_add(a.x_pixel);
                                gradient = gradient.wrapping_add(2 * S::LANES);
                            }
                            left -= unroll;
                        }
                    }
                }
            }
            for (p, sums) in sums.into_iter().enumerate() {
                for (b, sum) in sums.into_iter().enumerate() {
                    let to = a.sums.add((2 * p + b) * S::LANES);
                    s.store(to, s.add(s.load(to), sum));
                }
            }
        }
    }
}

/// Entry point of a tile.
pub(crate) type WeightGradFn = unsafe fn(&WeightGradArgs);

/// Tiles of an instruction set, indexed by vectors minus 1 and input channels minus 1.
pub(crate) struct WeightGradTiles([[WeightGradFn; MAX_MR]; 2]);

/// Most input channels of a tile on any instruction set.
const MAX_MR: usize = 14;

impl WeightGradTiles {
    pub fn of<S: Simd>() -> Self {
        Self([widths::<S, 1>(), widths::<S, 2>()])
    }

    /// The tile of `vectors` vectors of output channels and `channels` input channels, at most
    /// [`Simd::MR`](crate::cpu::micro::simd::Simd::MR).
    pub fn get(&self, vectors: usize, channels: usize) -> WeightGradFn {
        self.0[vectors - 1][channels - 1]
    }
}

fn widths<S: Simd, const B: usize>() -> [WeightGradFn; MAX_MR] {
    macro_rules! table {
        ($($p:literal)*) => {
            [$(if $p <= S::MR { S::entry::<WeightGradTile<B, $p>>() } else { S::entry::<WeightGradTile<B, 1>>() }),*]
        };
    }
    table!(1 2 3 4 5 6 7 8 9 10 11 12 13 14)
}
