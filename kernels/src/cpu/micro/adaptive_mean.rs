//! Adaptive mean pooling of rows of one block of channels.

use std::ops::Range;

use super::simd::{MicroKernel, Simd};

/// Rows of one block of channels. Strides are in elements.
pub(crate) struct AdaptiveArgs {
    /// First pixel, size and row stride of the input block.
    pub x: *const f32,
    pub x_size: [usize; 2],
    pub x_row: usize,
    /// First pixel of the output block, of which `rows` are computed.
    pub y: *mut f32,
    pub y_size: [usize; 2],
    pub y_row: usize,
    pub rows: Range<usize>,
}

/// Mean of each region.
///
/// # Safety
///
/// All memory that [`AdaptiveArgs`] describes is readable, and the memory of `y` is writable.
pub(crate) struct Adaptive;

/// Independent accumulators, which hide the latency of additions.
const ACCUMULATORS: usize = 4;

impl MicroKernel for Adaptive {
    type Args = AdaptiveArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &AdaptiveArgs) {
        for row in a.rows.clone() {
            let rows = part(a.x_size[0], a.y_size[0], row);
            for column in 0..a.y_size[1] {
                let columns = part(a.x_size[1], a.y_size[1], column);
                // SAFETY: the caller guarantees the memory that the arguments describe.
                unsafe {
                    let mut sums = [s.zero(); ACCUMULATORS];
                    for x_row in rows.clone() {
                        let x = a.x.add(x_row * a.x_row);
                        let mut at = columns.start;
                        while at + ACCUMULATORS <= columns.end {
                            for (i, sum) in sums.iter_mut().enumerate() {
                                *sum = s.add(*sum, s.load(x.add((at + i) * S::LANES)));
                            }
                            at += ACCUMULATORS;
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

/// Region number `at` of `parts` regions of `0..length`; regions may overlap.
#[inline(always)]
fn part(length: usize, parts: usize, at: usize) -> Range<usize> {
    at * length / parts..((at + 1) * length).div_ceil(parts)
}

/// Entry point.
pub(crate) type AdaptiveFn = unsafe fn(&AdaptiveArgs);
