//! Adaptive mean pooling of rows of one block of channels.

use std::ops::Range;

use super::simd::{Kernel, Simd};

/// Some rows of one block: what is read and written. Strides are in elements.
pub(crate) struct AdaptiveArgs {
    /// The block's first pixel, its size, and from one row to the next.
    pub x: *const f32,
    pub x_size: [usize; 2],
    pub x_row: usize,
    /// The block's first pixel, of which `rows` are computed.
    pub y: *mut f32,
    pub y_size: [usize; 2],
    pub y_row: usize,
    pub rows: Range<usize>,
}

/// The mean of each part.
///
/// # Safety
///
/// All that [`AdaptiveArgs`] describes must be readable, and `y` writable.
pub(crate) struct Adaptive;

/// Sums at once: an addition takes some cycles, in which others begin.
const SUMS: usize = 4;

impl Kernel for Adaptive {
    type Args = AdaptiveArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &AdaptiveArgs) {
        for row in a.rows.clone() {
            let rows = part(a.x_size[0], a.y_size[0], row);
            for column in 0..a.y_size[1] {
                let columns = part(a.x_size[1], a.y_size[1], column);
                unsafe {
                    let mut sums = [s.zero(); SUMS];
                    for x_row in rows.clone() {
                        let x = a.x.add(x_row * a.x_row);
                        let mut at = columns.start;
                        while at + SUMS <= columns.end {
                            for (i, sum) in sums.iter_mut().enumerate() {
                                *sum = s.add(*sum, s.load(x.add((at + i) * S::LANES)));
                            }
                            at += SUMS;
                        }
                        for at in at..columns.end {
                            sums[0] = s.add(sums[0], s.load(x.add(at * S::LANES)));
                        }
                    }
                    let sum = s.add(s.add(sums[0], sums[1]), s.add(sums[2], sums[3]));
                    let count = s.splat((rows.len() * columns.len()) as f32);
                    let y = a.y.add(row * a.y_row + column * S::LANES);
                    s.store(y, s.div(sum, count));
                }
            }
        }
    }
}

/// Part `at` of `parts` of `0..length`.
#[inline(always)]
fn part(length: usize, parts: usize, at: usize) -> Range<usize> {
    at * length / parts..((at + 1) * length).div_ceil(parts)
}

/// The address of its code.
pub(crate) type AdaptiveFn = unsafe fn(&AdaptiveArgs);
