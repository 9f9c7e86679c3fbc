//! Interpolation of one row of one block of channels.

use super::simd::{MicroKernel, Simd};

/// One row of a block of channels. Strides are in elements.
pub(crate) struct ResampleArgs {
    /// First pixel, row stride and width of the input block.
    pub x: *const f32,
    pub x_row: usize,
    pub x_width: usize,
    /// Rows of the input with their weights.
    pub rows: *const [(usize, f32)],
    /// Columns of the input with their weights, for each pixel of the output.
    pub columns: *const [Vec<(usize, f32)>],
    /// Memory for one row of the input.
    pub sums: *mut f32,
    /// First pixel of the output row.
    pub y: *mut f32,
}

/// Weighted sum of the rows, then of its columns.
///
/// # Safety
///
/// All memory that [`ResampleArgs`] describes is readable, and the memory of `sums` and `y` is
/// writable. The rows and columns of the lists are those of the input block.
pub(crate) struct ResampleRow;

impl MicroKernel for ResampleRow {
    type Args = ResampleArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &ResampleArgs) {
        // SAFETY: the caller guarantees the memory that the arguments describe.
        unsafe {
            let (rows, columns) = (&*a.rows, &*a.columns);
            for pixel in 0..a.x_width {
                let at = pixel * S::LANES;
                let mut sum = s.zero();
                for i in 0..rows.len() {
                    let (row, weight) = rows[i];
                    let x = s.load(a.x.add(row * a.x_row + at));
                    sum = s.mul_add(s.splat(weight), x, sum);
                }
                s.store(a.sums.add(at), sum);
            }
            for pixel in 0..columns.len() {
                let column = &columns[pixel];
                let mut sum = s.zero();
                for i in 0..column.len() {
                    let (at, weight) = column[i];
                    let x = s.load(a.sums.add(at * S::LANES));
                    sum = s.mul_add(s.splat(weight), x, sum);
                }
                s.store(a.y.add(pixel * S::LANES), sum);
            }
        }
    }
}

/// Entry point.
pub(crate) type ResampleFn = unsafe fn(&ResampleArgs);
