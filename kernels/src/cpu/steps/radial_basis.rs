//! Euclidean radial basis functions: squared distances from centers.

use serde::{Deserialize, Serialize};

use super::operation::Operation;
use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory, disjoint, ensure};
use crate::cpu::micro::radial_basis::RadialBasisArgs;

/// `y_j = sum_i (x_i - c_ji)^2`, where `i` runs over all elements of an image in the order
/// `[channel, row, column]`. Subtracts before squaring: the expanded square would lose small
/// distances to cancellation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RadialBasis {
    x: Map,
    y: Map,
    /// Offset of the centers in the packed weights.
    weights: usize,
}

impl RadialBasis {
    /// Squared distances of `x` from as many centers as `y`, `[out, 1, 1]`, has channels. The
    /// centers are packed from element `weights` on. `y` is in blocks of a vector's lanes.
    pub fn new(x: Map, y: Map, weights: usize) -> Self {
        Self { x, y, weights }
    }

    /// Elements of `outputs` packed centers of `inputs` elements for an output in blocks of
    /// `lanes`.
    pub fn packed_len(inputs: usize, outputs: usize, lanes: usize) -> usize {
        outputs.next_multiple_of(lanes) * inputs
    }

    /// Packs `centers`, `[out, in]`, in the memory order of `x`: `[output block, input block, row,
    /// column, channel, lane]`.
    pub fn pack(&self, centers: &[f32], packed: &mut [f32]) {
        let Self { x, y, .. } = self;
        let [channels, height, width] = x.shape();
        let inputs = channels * height * width;
        let mut to = self.weights;
        for block in 0..y.blocks() {
            for first in (0..channels).step_by(x.lanes) {
                for pixel in 0..height * width {
                    for channel in first..channels.min(first + x.lanes) {
                        for out in block * y.lanes..(block + 1) * y.lanes {
                            let at = out * inputs + channel * height * width + pixel;
                            packed[to] = centers.get(at).copied().unwrap_or(0.0);
                            to += 1;
                        }
                    }
                }
            }
        }
    }
}

impl Operation for RadialBasis {
    fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.x], &self.y)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        let Self { x, y, weights } = self;
        memory.any_map(x)?;
        memory.map(y)?;
        disjoint(x, y)?;
        ensure([y.height, y.width] == [1, 1], "the output is not a vector")?;
        let outputs = y.channels.checked_next_multiple_of(y.lanes);
        let inputs = x.values();
        memory.weights(
            *weights,
            outputs.and_then(|outputs| outputs.checked_mul(inputs)),
        )
    }

    unsafe fn run(&self, cx: &Context) {
        let Self { x, y, weights } = self;
        let [x, y] = &[x, y].map(|map| cx.at_micro_batch(map));
        let [channels, height, width] = x.shape();
        // SAFETY: the map is within the arena, and only this step accesses it.
        unsafe { cx.zero_border(y) };
        for (image, block, rows) in cx.claim_rows(y) {
            if rows.is_empty() {
                continue;
            }
            let before = block * y.lanes * channels * height * width;
            // SAFETY: the elements belong to checked maps and packed weights, and this thread alone
            // writes them.
            unsafe {
                (cx.kernels.radial_basis)(&RadialBasisArgs {
                    x: cx.at(x.at(image, 0, 0, 0)),
                    shape: x.shape(),
                    lanes: x.lanes,
                    x_row: x.row,
                    x_block: x.block,
                    centers: cx.weights[weights + before..].as_ptr(),
                    y: cx.at(y.at(image, block, 0, 0)),
                });
            }
        }
    }
}
