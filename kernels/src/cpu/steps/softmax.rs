//! Softmax over channels.

use serde::{Deserialize, Serialize};

use super::operation::Operation;
use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory, elementwise};

/// `exp(x_c - m) / sum_j exp(x_j - m)` at each pixel, where `m` is the largest of its channels. If
/// a channel is NaN or infinity, all channels become NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Softmax {
    x: Map,
    y: Map,
}

impl Softmax {
    /// Softmax of `x` into `y` of the same shape and lanes. `y` may be `x`.
    pub fn new(x: Map, y: Map) -> Self {
        Self { x, y }
    }
}

impl Operation for Softmax {
    fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.x], &self.y)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        memory.any_map(&self.x)?;
        memory.any_map(&self.y)?;
        elementwise(&self.x, &self.y)
    }

    unsafe fn run(&self, cx: &Context) {
        let Self { x, y } = self;
        let [x, y] = &[x, y].map(|map| cx.at_micro_batch(map));
        // SAFETY: the map is within the arena, and only this step accesses it.
        unsafe { cx.zero_border(y) };
        for pixel in cx.claim_ranges(cx.images * y.height * y.width, 1).flatten() {
            let (row, column) = (pixel / y.width, pixel % y.width);
            let (image, row) = (row / y.height, row % y.height);
            let channels = |block: usize| x.lanes.min(x.channels - block * x.lanes);
            // SAFETY: the element is a channel of a pixel of a map, which is within the arena.
            let from = |block: usize, lane: usize| unsafe {
                *cx.at(x.at(image, block, row, column) + lane)
            };
            // SAFETY: the elements belong to checked maps, and this thread alone writes them.
            unsafe {
                let mut max = f32::NEG_INFINITY;
                for block in 0..x.blocks() {
                    for lane in 0..channels(block) {
                        max = max.max(from(block, lane));
                    }
                }
                // `f64`: sums of thousands of terms stay exact to `f32`.
                let mut sum = 0.0;
                for block in 0..x.blocks() {
                    let to = cx.at(y.at(image, block, row, column));
                    for lane in 0..channels(block) {
                        let power = (from(block, lane) - max).exp();
                        sum += f64::from(power);
                        *to.add(lane) = power;
                    }
                }
                let scale = (1.0 / sum) as f32;
                for block in 0..y.blocks() {
                    let to = cx.at(y.at(image, block, row, column));
                    for lane in 0..channels(block) {
                        *to.add(lane) *= scale;
                    }
                    let rest = y.lanes - channels(block);
                    to.add(channels(block)).write_bytes(0, rest);
                }
            }
        }
    }
}
