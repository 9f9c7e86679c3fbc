//! Adaptive mean pooling.

use serde::{Deserialize, Serialize};

use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory, disjoint, ensure};
use crate::cpu::micro::adaptive_mean::AdaptiveArgs;
use crate::cpu::steps::operation::Operation;

/// Mean of each region of a map, one region per output pixel. Along an axis of `n` elements, region
/// `i` of `m` is `floor(i n / m)..ceil((i + 1) n / m)`, as in PyTorch; regions may overlap. For an
/// output of one pixel this is global mean pooling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdaptiveMean {
    x: Map,
    y: Map,
}

impl AdaptiveMean {
    /// The regions of `x` to the pixels of `y`, both in blocks of a vector's lanes.
    pub fn new(x: Map, y: Map) -> Self {
        let global = y.height * y.width == 1;
        let x = if global && x.is_dense() { x.flat() } else { x };
        Self { x, y }
    }
}

impl Operation for AdaptiveMean {
    fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.x], &self.y)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        let Self { x, y } = self;
        memory.map(x)?;
        memory.map(y)?;
        disjoint(x, y)?;
        ensure(
            x.channels == y.channels,
            "the maps have different numbers of channels",
        )?;
        for [length, parts] in [[x.height, y.height], [x.width, y.width]] {
            // The end of the last region before the division.
            length.checked_mul(parts).ok_or(CheckError::Outside)?;
        }
        Ok(())
    }

    unsafe fn run(&self, cx: &Context) {
        let Self { x, y } = self;
        let [x, y] = &[x, y].map(|map| cx.at_micro_batch(map));
        // SAFETY: the map is within the arena, and only this step accesses it.
        unsafe { cx.zero_border(y) };
        for (image, block, rows) in cx.claim_rows(y) {
            // SAFETY: the elements belong to checked maps and packed weights, and this thread alone
            // writes them.
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
