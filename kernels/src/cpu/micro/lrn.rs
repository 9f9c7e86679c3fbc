//! Local response normalization of adjacent pixels of a row.

use super::simd::{MAX_LANES, MicroKernel, Simd};

/// Adjacent pixels of a row, all blocks of channels. Strides are in elements.
pub(crate) struct LrnArgs {
    /// Channels of a window before and after its middle.
    pub reach: [usize; 2],
    pub alpha: f32,
    pub beta: f32,
    pub k: f32,
    pub x: *const f32,
    pub x_block: usize,
    pub y: *mut f32,
    pub y_block: usize,
    pub channels: usize,
    pub pixels: usize,
    /// First pixel's squares, with zeros before and after each pixel's squares, and the stride to
    /// the next pixel's.
    pub squares: *mut f32,
    pub pixel_squares: usize,
}

/// Normalization with any `beta`, or with 3/4 if `THREE_QUARTERS`.
///
/// # Safety
///
/// All memory that [`LrnArgs`] describes is readable, and the memory of `y` and the squares is
/// writable.
struct Normalize<const THREE_QUARTERS: bool>;

impl<const THREE_QUARTERS: bool> MicroKernel for Normalize<THREE_QUARTERS> {
    type Args = LrnArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &LrnArgs) {
        let blocks = a.channels.div_ceil(S::LANES);
        // SAFETY: the caller guarantees the memory that the arguments describe.
        unsafe {
            for block in 0..blocks {
                for pixel in 0..a.pixels {
                    let x = s.load(a.x.add(block * a.x_block + pixel * S::LANES));
                    let square = a.squares.add(pixel * a.pixel_squares + block * S::LANES);
                    s.store(square, s.mul(x, x));
                }
            }
            // Lanes beyond the last channel must not contribute.
            let rest = blocks * S::LANES - a.channels;
            if rest > 0 {
                for pixel in 0..a.pixels {
                    let square = a.squares.add(pixel * a.pixel_squares + a.channels);
                    square.write_bytes(0, rest);
                }
            }
            for block in 0..blocks {
                for pixel in 0..a.pixels {
                    let squares = a.squares.add(pixel * a.pixel_squares + block * S::LANES);
                    let first = squares.sub(a.reach[0]);
                    let mut sum = s.load(first);
                    for further in 1..=a.reach[0] + a.reach[1] {
                        sum = s.add(sum, s.load(first.add(further)));
                    }
                    let base = s.mul_add(s.splat(a.alpha), sum, s.splat(a.k));
                    let scale = if THREE_QUARTERS {
                        s.inverse_three_quarters(base)
                    } else {
                        let mut lanes = [0.0; MAX_LANES];
                        s.store(lanes.as_mut_ptr(), base);
                        for lane in &mut lanes[..S::LANES] {
                            *lane = lane.powf(-a.beta);
                        }
                        s.load(lanes.as_ptr())
                    };
                    let x = s.load(a.x.add(block * a.x_block + pixel * S::LANES));
                    s.store(
                        a.y.add(block * a.y_block + pixel * S::LANES),
                        s.mul(x, scale),
                    );
                }
            }
        }
    }
}

pub(crate) type LrnFn = unsafe fn(&LrnArgs);

/// Normalizations of an instruction set.
pub(crate) struct LrnFns {
    pub three_quarters: LrnFn,
    pub any: LrnFn,
}

impl LrnFns {
    pub fn of<S: Simd>() -> Self {
        const { assert!(S::LANES <= MAX_LANES) };
        Self {
            three_quarters: S::entry::<Normalize<true>>(),
            any: S::entry::<Normalize<false>>(),
        }
    }
}
