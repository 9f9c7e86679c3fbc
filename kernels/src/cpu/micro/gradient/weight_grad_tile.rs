//! The tile of a weight's gradient: sums over pixels of products of channels.
//!
//! Where the [tile](super::super::tile) of a convolution holds pixels by output channels and sums over input
//! channels and taps, this one holds input channels by output channels, of one tap, and sums over pixels:
//! for each, `P` elements are broadcast and multiplied with `B` vectors of the output's gradient.

use crate::cpu::micro::simd::{Kernel, Simd};
use crate::cpu::micro::tile::tap;

/// What is summed. Strides are in elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WeightGradArgs {
    /// The first of the input channels of the first pixel, adjacent; from one image, row and pixel to the
    /// next.
    pub x: *const f32,
    pub x_image: usize,
    pub x_row: usize,
    pub x_pixel: usize,
    /// The gradient of the first pixel: two vectors for each pixel, adjacent pixels side by side.
    pub gradient: *const f32,
    pub gradient_image: usize,
    pub gradient_row: usize,
    pub images: usize,
    pub rows: usize,
    pub columns: usize,
    /// Two vectors for each input channel, to which the sums are added.
    pub sums: *mut f32,
}

/// `P` input channels by the first `B` of two vectors of output channels.
///
/// # Safety
///
/// All that [`WeightGradArgs`] describes must be readable, and the sums writable.
struct Sums<const B: usize, const P: usize>;

impl<const B: usize, const P: usize> Kernel for Sums<B, P> {
    type Args = WeightGradArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &WeightGradArgs) {
        unsafe {
            let mut sums = [[s.zero(); B]; P];
            for image in 0..a.images {
                for row in 0..a.rows {
                    let mut x = a.x.add(image * a.x_image + row * a.x_row);
                    let from = image * a.gradient_image + row * a.gradient_row;
                    let mut gradient = a.gradient.add(from);
                    let mut left = a.columns;
                    // Branches cost a good part of a pixel.
                    for together in [4, 1] {
                        while left >= together {
                            for _ in 0..together {
                                tap::<S, B, P>(s, x, 1, (gradient, 0), &mut sums);
                                x = x.wrapping_add(a.x_pixel);
                                gradient = gradient.wrapping_add(2 * S::LANES);
                            }
                            left -= together;
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

/// The address of a tile's code.
pub(crate) type WeightGradFn = unsafe fn(&WeightGradArgs);

/// The tiles of an instruction set, by vectors less one and input channels less one.
pub(crate) struct WeightGradTiles([[WeightGradFn; MOST]; 2]);

/// The widest tile of any instruction set.
const MOST: usize = 14;

impl WeightGradTiles {
    pub fn of<S: Simd>() -> Self {
        Self([widths::<S, 1>(), widths::<S, 2>()])
    }

    /// The tile of `vectors` vectors of output channels and `channels` input channels, at most
    /// [`Simd::TILE`].
    pub fn get(&self, vectors: usize, channels: usize) -> WeightGradFn {
        self.0[vectors - 1][channels - 1]
    }
}

fn widths<S: Simd, const B: usize>() -> [WeightGradFn; MOST] {
    macro_rules! table {
        ($($p:literal)*) => {
            [$(if $p <= S::TILE { S::entry::<Sums<B, $p>>() } else { S::entry::<Sums<B, 1>>() }),*]
        };
    }
    table!(1 2 3 4 5 6 7 8 9 10 11 12 13 14)
}
