//! Copies of elements: transposes, slices, flips, broadcasts, padding, nearest resizing, gathers.

use serde::{Deserialize, Serialize};

use super::axes::{Axis, Offsets, check_axes};
use super::elements::{Cursor, Elements};
use super::operation::Operation;
use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory, disjoint};

/// Copies elements: each element of `y` is an element of `x`, or a constant.
///
/// The elements of a map are numbered in row-major order of `[channels, height, width]`. The
/// element of `y` with the indices `i0, i1, …` along the axes, outermost first, is element number
/// `base + axes[0].offsets(i0) + axes[1].offsets(i1) + …` of `x`, or `fill` if one of the offsets
/// is `None`. Transposes, slices with any step, flips, broadcasts, padding of every mode, nearest
/// resizing, depth-to-space, reshapes and gathers are special cases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rearrange {
    x: Map,
    y: Map,
    base: usize,
    axes: Vec<Axis>,
    fill: f32,
}

impl Rearrange {
    /// Copies elements of `x` to `y`; either is planar or in blocks of a vector's lanes. The product
    /// of the axes' lengths is the number of elements of `y`. There are at most 16 axes.
    ///
    /// `fill` is finite, so that files can contain it.
    pub fn new(x: Map, y: Map, base: usize, axes: Vec<Axis>, fill: f32) -> Self {
        Self {
            x,
            y,
            base,
            axes,
            fill,
        }
    }

    /// Copies `count` elements from number `first` of `y` on to `to`, `stride` apart.
    ///
    /// # Safety
    ///
    /// The step was checked, the elements of `x` are in the arena of `cx`, and the destination is
    /// writable.
    #[inline(always)]
    unsafe fn copy(
        &self,
        cx: &Context,
        x: &Elements,
        image: usize,
        elements: [usize; 2],
        to: *mut f32,
        stride: usize,
    ) {
        let [first, count] = elements;
        let mut cursor = Cursor::new(self.base, &self.axes, first);
        let mut done = 0;
        while done < count {
            let (sum, index, run) = cursor.run(count - done);
            for i in 0..run {
                let offset = match cursor.inner() {
                    Offsets::Step(step) => {
                        Some((*step as isize).wrapping_mul((index + i) as isize))
                    }
                    Offsets::List(list) => list[index + i].map(|offset| offset as isize),
                };
                // SAFETY: the check found that all sources are elements of the map.
                unsafe {
                    *to.add((done + i) * stride) = match (sum, offset) {
                        (Some(sum), Some(offset)) => {
                            *cx.at(x.at(image, sum.wrapping_add_signed(offset)))
                        }
                        _ => self.fill,
                    };
                }
            }
            done += run;
            cursor.advance(run);
        }
    }
}

impl Operation for Rearrange {
    fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.x], &self.y)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        let Self {
            x, y, base, axes, ..
        } = self;
        memory.any_map(x)?;
        memory.any_map(y)?;
        disjoint(x, y)?;
        check_axes(x, *base, axes, &[], y.values())
    }

    unsafe fn run(&self, cx: &Context) {
        let [x, y] = &[&self.x, &self.y].map(|map| cx.at_micro_batch(map));
        let elements = Elements::new(x);
        // SAFETY: the map is within the arena, and only this step accesses it.
        unsafe { cx.zero_border(y) };
        for (image, block, rows) in cx.claim_rows(y) {
            let channels = y.lanes.min(y.channels - block * y.lanes);
            for row in rows {
                // SAFETY: the elements belong to checked maps, and this thread alone writes them.
                unsafe {
                    let to = cx.at(y.at(image, block, row, 0));
                    for lane in 0..channels {
                        let first = ((block * y.lanes + lane) * y.height + row) * y.width;
                        let to = to.add(lane);
                        self.copy(cx, &elements, image, [first, y.width], to, y.lanes);
                    }
                    zero_unused_lanes(to, y.lanes, channels, y.width);
                }
            }
        }
    }
}

/// Zeroes the lanes of adjacent pixels after the first `channels`.
///
/// # Safety
///
/// `to` are `pixels` writable pixels of `lanes` elements.
#[inline(always)]
pub(super) unsafe fn zero_unused_lanes(to: *mut f32, lanes: usize, channels: usize, pixels: usize) {
    if channels < lanes {
        for pixel in 0..pixels {
            // SAFETY: as the caller guarantees.
            unsafe {
                let rest = to.add(pixel * lanes + channels);
                rest.write_bytes(0, lanes - channels);
            }
        }
    }
}
