//! Activation as a separate step.

use serde::{Deserialize, Serialize};

use super::operation::Operation;
use crate::cpu::layout::{AccessSet, CheckError, Context, Map, Memory, elementwise};
use crate::cpu::micro::activation::{Activation, UnaryArgs};

/// An activation as a separate step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unary {
    x: Map,
    y: Map,
    activation: Activation,
}

impl Unary {
    /// The activation of `x` into `y` of the same shape, both in blocks of a vector's lanes. `y`
    /// may be `x`.
    pub fn new(x: Map, y: Map, activation: Activation) -> Self {
        Self { x, y, activation }
    }
}

impl Operation for Unary {
    fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.x], &self.y)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        memory.map(&self.x)?;
        memory.map(&self.y)?;
        elementwise(&self.x, &self.y)
    }

    unsafe fn run(&self, cx: &Context) {
        let Self { x, y, activation } = self;
        let [x, y] = &[x, y].map(|map| cx.at_micro_batch(map));
        // SAFETY: the map is within the arena, and only this step accesses it.
        unsafe { cx.zero_border(y) };
        for (image, block, rows) in cx.claim_rows(y) {
            // SAFETY: the elements belong to checked maps and packed weights, and this thread alone
            // writes them.
            unsafe {
                (cx.kernels.unary)(&UnaryArgs {
                    x: cx.at(x.at(image, block, rows.start, 0)),
                    x_row: x.row,
                    y: cx.at(y.at(image, block, rows.start, 0)),
                    y_row: y.row,
                    rows: rows.len(),
                    width: y.width,
                    activation: *activation,
                });
            }
        }
    }
}
