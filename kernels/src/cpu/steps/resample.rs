//! Interpolation of rows and columns.

use serde::{Deserialize, Serialize};

use super::operation::Operation;
use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory, disjoint, ensure};
use crate::cpu::micro::resample::ResampleArgs;

/// Weighted sums of pixels: linear, cubic and any other separable interpolation.
///
/// `y[c, i, j]` is the sum of `u * v * x[c, r, s]` over all `(r, u)` in `rows[i]` and `(s, v)` in
/// `columns[j]`; 0 if either list is empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resample {
    x: Map,
    y: Map,
    rows: Vec<Vec<(usize, f32)>>,
    columns: Vec<Vec<(usize, f32)>>,
}

/// Most pixels in the list of a row or column.
const MAX_TERMS: usize = 1 << 16;

impl Resample {
    /// Weighted sums of the pixels of `x` to `y` with as many channels, both in blocks of a
    /// vector's lanes. `rows` has a list for each row of `y` and `columns` one for each column. A
    /// list has at most 65536 entries, and may have several for the same row or column.
    pub fn new(
        x: Map,
        y: Map,
        rows: Vec<Vec<(usize, f32)>>,
        columns: Vec<Vec<(usize, f32)>>,
    ) -> Self {
        Self {
            x,
            y,
            rows,
            columns,
        }
    }
}

impl Operation for Resample {
    fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.x], &self.y)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        let Self {
            x,
            y,
            rows,
            columns,
        } = self;
        memory.map(x)?;
        memory.map(y)?;
        disjoint(x, y)?;
        ensure(
            x.channels == y.channels,
            "the maps have different numbers of channels",
        )?;
        ensure(
            [rows.len(), columns.len()] == [y.height, y.width],
            "there is not one list for each row and column of the output",
        )?;
        for (lists, size) in [(rows, x.height), (columns, x.width)] {
            for list in lists {
                ensure(list.len() <= MAX_TERMS, "a list of pixels is too long")?;
                ensure(
                    list.iter().all(|(index, _)| *index < size),
                    "a list has a pixel outside of the map",
                )?;
            }
        }
        Ok(())
    }

    fn scratch(&self) -> usize {
        self.x.width.saturating_mul(self.x.lanes)
    }

    unsafe fn run(&self, cx: &Context) {
        let [x, y] = &[&self.x, &self.y].map(|map| cx.at_micro_batch(map));
        // SAFETY: the map is within the arena, and only this step accesses it.
        unsafe { cx.zero_border(y) };
        for (image, block, rows) in cx.claim_rows(y) {
            for row in rows {
                // SAFETY: the elements belong to checked maps, whose rows and columns are in the
                // lists, and this thread alone writes them. The scratch memory has one row of `x`.
                unsafe {
                    (cx.kernels.resample)(&ResampleArgs {
                        x: cx.at(x.at(image, block, 0, 0)),
                        x_row: x.row,
                        x_width: x.width,
                        rows: &raw const *self.rows[row],
                        columns: &raw const *self.columns,
                        sums: cx.scratch,
                        y: cx.at(y.at(image, block, row, 0)),
                    });
                }
            }
        }
    }
}
