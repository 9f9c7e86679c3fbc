//! Pooling of rows of one block of channels.
//!
//! Windows are clipped to the map: taps outside of it are not read. Columns whose windows lie
//! inside the map are computed without clipping.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::simd::{MicroKernel, Simd};

/// A pooling window. The size of the output determines the number of windows; the last windows may
/// reach beyond the padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PoolWindow {
    /// Height and width, at least 1.
    pub kernel: [usize; 2],
    /// Vertical and horizontal stride, at least 1.
    pub stride: [usize; 2],
    /// Padding above and to the left; the same padding applies below and to the right.
    pub padding: [usize; 2],
    /// Vertical and horizontal dilation, at least 1.
    pub dilation: [usize; 2],
}

impl PoolWindow {
    /// Number of taps of window `at` along an axis that lie before position `end` of the map.
    #[inline(always)]
    fn taps_before(&self, axis: usize, at: usize, end: usize) -> usize {
        let span = (end + self.padding[axis]).saturating_sub(at * self.stride[axis]);
        let taps = match self.dilation[axis] {
            // A division would take as long as a window.
            1 => span,
            dilation => span.div_ceil(dilation),
        };
        taps.min(self.kernel[axis])
    }

    /// Taps of window `at` along an axis that lie inside a map of this length.
    #[inline(always)]
    fn taps(&self, axis: usize, at: usize, length: usize) -> Range<usize> {
        let end = self.taps_before(axis, at, length);
        self.taps_before(axis, at, 0).min(end)..end
    }

    /// Windows along an axis, of `windows`, that lie entirely inside a map of this length.
    #[inline(always)]
    fn inside(&self, axis: usize, windows: usize, length: usize) -> Range<usize> {
        let extent = (self.kernel[axis] - 1) * self.dilation[axis] + 1;
        let end = match (length + self.padding[axis]).checked_sub(extent) {
            Some(span) => (span / self.stride[axis] + 1).min(windows),
            None => 0,
        };
        self.padding[axis].div_ceil(self.stride[axis]).min(end)..end
    }
}

/// Reduction of the elements of a window.
trait Reduce: 'static {
    /// Initial value.
    fn start<S: Simd>(s: S) -> S::Vector;
    /// Adds an element.
    fn add<S: Simd>(s: S, so_far: S::Vector, x: S::Vector) -> S::Vector;
    /// Final value of `count` taps, padding that counts included.
    fn end<S: Simd>(s: S, so_far: S::Vector, count: usize) -> S::Vector;
}

/// Rows of one block of channels. Strides are in elements.
pub(crate) struct PoolArgs {
    pub window: PoolWindow,
    /// Whether padding counts in a mean.
    pub count_padding: bool,
    /// First pixel, size and row stride of the input block.
    pub x: *const f32,
    pub size: [usize; 2],
    pub x_row: usize,
    /// First pixel of the output block, of which `rows` of `width` pixels are computed.
    pub y: *mut f32,
    pub y_row: usize,
    pub rows: Range<usize>,
    pub width: usize,
}

/// Pooling by the reduction `R` with windows of `K` adjacent columns and stride `STRIDE`, or any
/// window if `K` is 0.
///
/// # Safety
///
/// All memory that [`PoolArgs`] describes is readable, and the memory of `y` is writable.
struct Pool<R, const K: usize, const STRIDE: usize>(R);

impl<R: Reduce, const K: usize, const STRIDE: usize> MicroKernel for Pool<R, K, STRIDE> {
    type Args = PoolArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &PoolArgs) {
        let window = &a.window;
        let inside = window.inside(1, a.width, a.size[1]);
        let x_tap = [window.dilation[0] * a.x_row, window.dilation[1] * S::LANES];
        for row in a.rows.clone() {
            let rows = window.taps(0, row, a.size[0]);
            let counted_rows = if a.count_padding {
                window.taps_before(0, row, a.size[0] + window.padding[0])
            } else {
                rows.len()
            };
            let top = row * window.stride[0] + rows.start * window.dilation[0];
            // Not used if the window has no row inside the map.
            let top = top.saturating_sub(window.padding[0]) * a.x_row;
            // SAFETY: the caller guarantees the memory that the arguments describe.
            let y = unsafe { a.y.add(row * a.y_row) };
            for column in (0..inside.start).chain(inside.end..a.width) {
                let columns = window.taps(1, column, a.size[1]);
                let counted = if a.count_padding {
                    window.taps_before(1, column, a.size[1] + window.padding[1])
                } else {
                    columns.len()
                };
                let left = column * window.stride[1] + columns.start * window.dilation[1];
                let left = left.saturating_sub(window.padding[1]) * S::LANES;
                let x = a.x.wrapping_add(top + left);
                // SAFETY: the caller guarantees the memory that the arguments describe.
                unsafe {
                    let all = reduce::<S, R>(s, x, [rows.len(), columns.len()], x_tap);
                    let all = R::end::<S>(s, all, counted_rows * counted);
                    s.store(y.add(column * S::LANES), all);
                }
            }
            if inside.is_empty() {
                continue;
            }
            let left = (inside.start * window.stride[1] - window.padding[1]) * S::LANES;
            let counted = counted_rows * window.kernel[1];
            // SAFETY: the caller guarantees the memory that the arguments describe.
            unsafe {
                let x = a.x.wrapping_add(top + left);
                let y = y.add(inside.start * S::LANES);
                if K > 0 && rows.len() == K {
                    slide::<S, R, K, STRIDE>(s, x, K, x_tap[0], y, inside.len(), counted);
                } else if K > 0 && !rows.is_empty() {
                    slide::<S, R, K, STRIDE>(s, x, rows.len(), x_tap[0], y, inside.len(), counted);
                } else {
                    let size = [rows.len(), window.kernel[1]];
                    for column in 0..inside.len() {
                        let x = x.wrapping_add(column * window.stride[1] * S::LANES);
                        let all = R::end::<S>(s, reduce::<S, R>(s, x, size, x_tap), counted);
                        s.store(y.add(column * S::LANES), all);
                    }
                }
            }
        }
    }
}

/// A row of windows of `rows` rows, at least one, and `K` columns. Each column is reduced once and
/// reused by the windows that share it.
#[inline(always)]
unsafe fn slide<S: Simd, R: Reduce, const K: usize, const STRIDE: usize>(
    s: S,
    mut x: *const f32,
    rows: usize,
    x_row: usize,
    y: *mut f32,
    windows: usize,
    counted: usize,
) {
    // SAFETY: as the caller guarantees.
    unsafe {
        let mut columns = [s.zero(); K];
        for (i, column) in columns[..K - STRIDE].iter_mut().enumerate() {
            *column = reduce_column::<S, R>(s, x.add(i * S::LANES), rows, x_row);
        }
        for window in 0..windows {
            let mut all = s.zero();
            for i in 0..K {
                if i >= K - STRIDE {
                    columns[i] = reduce_column::<S, R>(s, x.add(i * S::LANES), rows, x_row);
                }
                all = if i == 0 {
                    columns[0]
                } else {
                    R::add::<S>(s, all, columns[i])
                };
            }
            s.store(y.add(window * S::LANES), R::end::<S>(s, all, counted));
            for i in 0..K - STRIDE {
                columns[i] = columns[i + STRIDE];
            }
            x = x.add(STRIDE * S::LANES);
        }
    }
}

#[inline(always)]
unsafe fn reduce_column<S: Simd, R: Reduce>(
    s: S,
    x: *const f32,
    rows: usize,
    x_row: usize,
) -> S::Vector {
    // SAFETY: as the caller guarantees.
    unsafe {
        let mut all = s.load(x);
        for row in 1..rows {
            all = R::add::<S>(s, all, s.load(x.add(row * x_row)));
        }
        all
    }
}

#[inline(always)]
unsafe fn reduce<S: Simd, R: Reduce>(
    s: S,
    x: *const f32,
    [rows, columns]: [usize; 2],
    tap: [usize; 2],
) -> S::Vector {
    // SAFETY: as the caller guarantees.
    unsafe {
        let mut sum = R::start::<S>(s);
        for row in 0..rows {
            for column in 0..columns {
                let x = x.add(row * tap[0] + column * tap[1]);
                sum = R::add::<S>(s, sum, s.load(x));
            }
        }
        sum
    }
}

pub(crate) struct Maximum;

impl Reduce for Maximum {
    #[inline(always)]
    fn start<S: Simd>(s: S) -> S::Vector {
        s.splat(f32::NEG_INFINITY)
    }
    #[inline(always)]
    fn add<S: Simd>(s: S, so_far: S::Vector, x: S::Vector) -> S::Vector {
        s.maximum(so_far, x)
    }
    #[inline(always)]
    fn end<S: Simd>(_: S, so_far: S::Vector, _: usize) -> S::Vector {
        so_far
    }
}

pub(crate) struct Sum;

impl Reduce for Sum {
    #[inline(always)]
    fn start<S: Simd>(s: S) -> S::Vector {
        s.zero()
    }
    #[inline(always)]
    fn add<S: Simd>(s: S, so_far: S::Vector, x: S::Vector) -> S::Vector {
        s.add(so_far, x)
    }
    #[inline(always)]
    fn end<S: Simd>(s: S, so_far: S::Vector, count: usize) -> S::Vector {
        s.mul(so_far, s.splat(1.0 / count.max(1) as f32))
    }
}

/// Entry point.
pub(crate) type PoolFn = unsafe fn(&PoolArgs);

/// Pooling micro-kernels of an instruction set.
pub(crate) struct PoolFns {
    pub max: [PoolFn; 4],
    pub mean: [PoolFn; 4],
}

impl PoolFns {
    pub fn of<S: Simd>() -> Self {
        Self {
            max: pools::<S, Maximum>(),
            mean: pools::<S, Sum>(),
        }
    }
}

fn pools<S: Simd, R: Reduce>() -> [PoolFn; 4] {
    [
        S::entry::<Pool<R, 0, 0>>(),
        S::entry::<Pool<R, 2, 2>>(),
        S::entry::<Pool<R, 3, 1>>(),
        S::entry::<Pool<R, 3, 2>>(),
    ]
}

/// The fastest of `functions` for `window`.
pub(crate) fn choose(functions: &[PoolFn; 4], window: &PoolWindow) -> PoolFn {
    match (window.kernel[1], window.stride[1], window.dilation[1]) {
        (2, 2, 1) => functions[1],
        (3, 1, 1) => functions[2],
        (3, 2, 1) => functions[3],
        _ => functions[0],
    }
}
