//! The means of a map's parts, as many as the output has pixels.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::super::accesses::AccessSet;
use super::super::check::{CheckError, Memory, disjoint, ensure};
use super::super::context::Context;
use super::super::map::Map;
use super::super::simd::{Kernel, Simd};

/// The mean of each part of a map. Along an axis of `n` elements, part `i` of `m` is from
/// `floor(i n / m)` to `ceil((i + 1) n / m)`, as in PyTorch; the parts may overlap. With an output
/// of one pixel it is the mean of the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdaptiveMean {
    x: Map,
    y: Map,
}

impl AdaptiveMean {
    /// From `x` to `y`, both in blocks of a vector's lanes.
    pub fn new(x: Map, y: Map) -> Self {
        let global = y.height * y.width == 1;
        let x = if global && x.is_dense() { x.flat() } else { x };
        Self { x, y }
    }

    /// What it reads and writes.
    pub(crate) fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.x], &self.y)
    }

    /// Whether it stays within `memory`.
    pub(crate) fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        let Self { x, y } = self;
        memory.map(x)?;
        memory.map(y)?;
        disjoint(x, y)?;
        ensure(x.channels == y.channels, "maps have different channels")?;
        for [length, parts] in [[x.height, y.height], [x.width, y.width]] {
            // The last part's end, before it is divided.
            length.checked_mul(parts).ok_or(CheckError::Outside)?;
        }
        Ok(())
    }

    /// This thread's part.
    ///
    /// # Safety
    ///
    /// The maps are within the arena.
    pub(crate) unsafe fn run(&self, cx: &Context) {
        let Self { x, y } = self;
        let [x, y] = &[x, y].map(|map| cx.here(map));
        unsafe { cx.zero_border(y) };
        for (image, block, rows) in cx.share_rows(y) {
            unsafe {
                (cx.kernels.adaptive_mean)(&AdaptiveArgs {
                    x: cx.at(x.at(image, block, 0, 0)),
                    x_size: [x.height, x.width],
                    x_row: x.row,
                    y: cx.at(y.at(image, block, 0, 0)),
                    y_size: [y.height, y.width],
                    y_row: y.row,
                    rows,
                });
            }
        }
    }
}

/// Some rows of one block: what is read and written. Strides are in elements.
pub(in crate::cpu) struct AdaptiveArgs {
    /// The block's first pixel, its size, and from one row to the next.
    x: *const f32,
    x_size: [usize; 2],
    x_row: usize,
    /// The block's first pixel, of which `rows` are computed.
    y: *mut f32,
    y_size: [usize; 2],
    y_row: usize,
    rows: Range<usize>,
}

/// The mean of each part.
///
/// # Safety
///
/// All that [`AdaptiveArgs`] describes must be readable, and `y` writable.
pub(in crate::cpu) struct Adaptive;

/// Sums at once: an addition takes some cycles, in which others begin.
const SUMS: usize = 4;

impl Kernel for Adaptive {
    type Args = AdaptiveArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(a: &AdaptiveArgs) {
        for row in a.rows.clone() {
            let rows = part(a.x_size[0], a.y_size[0], row);
            for column in 0..a.y_size[1] {
                let columns = part(a.x_size[1], a.y_size[1], column);
                unsafe {
                    let mut sums = [S::zero(); SUMS];
                    for x_row in rows.clone() {
                        let x = a.x.add(x_row * a.x_row);
                        let mut at = columns.start;
                        while at + SUMS <= columns.end {
                            for (i, sum) in sums.iter_mut().enumerate() {
                                *sum = S::add(*sum, S::load(x.add((at + i) * S::LANES)));
                            }
                            at += SUMS;
                        }
                        for at in at..columns.end {
                            sums[0] = S::add(sums[0], S::load(x.add(at * S::LANES)));
                        }
                    }
                    let sum = S::add(S::add(sums[0], sums[1]), S::add(sums[2], sums[3]));
                    let count = S::splat((rows.len() * columns.len()) as f32);
                    let y = a.y.add(row * a.y_row + column * S::LANES);
                    S::store(y, S::div(sum, count));
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
pub(in crate::cpu) type AdaptiveFn = unsafe fn(&AdaptiveArgs);
