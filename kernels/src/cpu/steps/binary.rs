//! Elementwise operations on two maps.

use serde::{Deserialize, Serialize};

use super::operation::Operation;
use crate::cpu::layout::{
    AccessSet, CheckError, Context, Map, Memory, Output, disjoint, elementwise, ensure,
};
use crate::cpu::micro::binary::{BinaryArgs, BinaryOp};

/// Elementwise `a op b`, then an activation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Binary {
    op: BinaryOp,
    a: Map,
    b: Map,
    output: Output,
}

impl Binary {
    /// The operation on `a` and `b`, which have the shape of the output map and are in blocks of a
    /// vector's lanes. The output map may be one of them. The output has no residual.
    ///
    /// `b` may also have a height and width of 1 where the output is larger: one number for each
    /// channel of each image, as in the gates of squeeze-and-excitation blocks.
    pub fn new(op: BinaryOp, a: Map, b: Map, output: Output) -> Self {
        Self { op, a, b, output }
    }

    /// Whether `b` is one number for each channel of a larger output.
    fn is_b_constant(&self) -> bool {
        let y = &self.output.y;
        [self.b.height, self.b.width] == [1, 1] && [y.height, y.width] != [1, 1]
    }
}

impl Operation for Binary {
    fn accesses(&self) -> AccessSet {
        AccessSet::maps(&[&self.a, &self.b], &self.output.y)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        let Output { y, residual, .. } = &self.output;
        ensure(
            residual.is_none(),
            "an elementwise operation has a residual",
        )?;
        memory.map(y)?;
        memory.map(&self.a)?;
        elementwise(&self.a, y)?;
        memory.map(&self.b)?;
        if self.is_b_constant() {
            ensure(
                self.b.channels == y.channels,
                "the maps have different numbers of channels",
            )?;
            return disjoint(&self.b, y);
        }
        elementwise(&self.b, y)
    }

    unsafe fn run(&self, cx: &Context) {
        let Self { op, a, b, output } = self;
        let is_b_constant = self.is_b_constant();
        let [a, b] = [a, b].map(|map| cx.at_micro_batch(map));
        let output = cx.output_at_micro_batch(output);
        let y = &output.y;
        // SAFETY: the map is within the arena, and only this step accesses it.
        unsafe { cx.zero_border(y) };
        let function = cx.kernels.binary.get(*op);
        for (image, block, rows) in cx.claim_rows(y) {
            let first_row = if is_b_constant { 0 } else { rows.start };
            // SAFETY: the elements belong to checked maps and packed weights, and this thread alone
            // writes them.
            unsafe {
                function(&BinaryArgs {
                    a: cx.at(a.at(image, block, rows.start, 0)),
                    a_row: a.row,
                    b: cx.at(b.at(image, block, first_row, 0)),
                    b_row: b.row,
                    is_b_constant,
                    y: cx.at(y.at(image, block, rows.start, 0)),
                    y_row: y.row,
                    rows: rows.len(),
                    width: y.width,
                    channels: y.channels - block * y.lanes,
                    activation: output.activation,
                });
            }
        }
    }
}
