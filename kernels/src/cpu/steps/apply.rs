//! Elementwise functions that no other step fuses.

use serde::{Deserialize, Serialize};

use super::operation::Operation;
use super::rearrange::zero_unused_lanes;
use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory, elementwise};
use crate::cpu::micro::function::{Function, FunctionArgs};

/// A function of every element.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Apply {
    x: Map,
    y: Map,
    function: Function,
}

impl Apply {
    /// The function of the elements of `x` into `y` of the same shape and lanes. `y` may be `x`.
    pub fn new(x: Map, y: Map, function: Function) -> Self {
        Self { x, y, function }
    }
}

impl Operation for Apply {
    fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.x], &self.y)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        memory.any_map(&self.x)?;
        memory.any_map(&self.y)?;
        elementwise(&self.x, &self.y)
    }

    unsafe fn run(&self, cx: &Context) {
        let [x, y] = &[&self.x, &self.y].map(|map| cx.at_micro_batch(map));
        // SAFETY: the map is within the arena, and only this step accesses it.
        unsafe { cx.zero_border(y) };
        for (image, block, rows) in cx.claim_rows(y) {
            for row in rows {
                // SAFETY: the elements belong to checked maps, and this thread alone writes them.
                unsafe {
                    let to = cx.at(y.at(image, block, row, 0));
                    (cx.kernels.function)(&FunctionArgs {
                        function: self.function,
                        x: cx.at(x.at(image, block, row, 0)),
                        y: to,
                        len: y.width * y.lanes,
                    });
                    zero_unused_lanes(to, y.lanes, y.channels - block * y.lanes, y.width);
                }
            }
        }
    }
}
