//! A constant map.

use serde::{Deserialize, Serialize};

use super::operation::Operation;
use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory};

/// Copies a constant map from the packed weights, since its memory holds other maps between runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Constant {
    y: Map,
    /// Offset of the map in the packed weights.
    weights: usize,
}

impl Constant {
    /// The constant map `y`, planar or in blocks of a vector's lanes. Its values are packed from
    /// element `weights` on, and are the same for all images.
    pub fn new(y: Map, weights: usize) -> Self {
        Self { y, weights }
    }

    /// Elements of the packed values of `y`.
    pub fn packed_len(y: &Map) -> usize {
        y.blocks() * y.lanes * y.height * y.width
    }

    /// Packs `values`, `[channels, height, width]`, in the memory order of `y`: `[block, row,
    /// column, lane]`.
    pub fn pack(&self, values: &[f32], packed: &mut [f32]) {
        let [channels, height, width] = self.y.shape();
        let area = height * width;
        let mut to = self.weights;
        for block in 0..self.y.blocks() {
            for pixel in 0..area {
                for channel in block * self.y.lanes..(block + 1) * self.y.lanes {
                    packed[to] = match channel < channels {
                        true => values[channel * area + pixel],
                        false => 0.0,
                    };
                    to += 1;
                }
            }
        }
    }
}

impl Operation for Constant {
    fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[], &self.y)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        let Self { y, weights } = self;
        memory.any_map(y)?;
        // The map is in the arena, so that its size does not overflow.
        memory.weights(*weights, Some(Self::packed_len(y)))
    }

    unsafe fn run(&self, cx: &Context) {
        let y = &cx.at_micro_batch(&self.y);
        let len = y.width * y.lanes;
        // SAFETY: the map is within the arena, and only this step accesses it.
        unsafe { cx.zero_border(y) };
        for (image, block, rows) in cx.claim_rows(y) {
            for row in rows {
                let from = self.weights + (block * y.height + row) * len;
                let from = &cx.weights[from..from + len];
                // SAFETY: the elements belong to a checked map, and this thread alone writes them.
                unsafe {
                    let to = cx.at(y.at(image, block, row, 0));
                    to.copy_from_nonoverlapping(from.as_ptr(), len);
                }
            }
        }
    }
}
