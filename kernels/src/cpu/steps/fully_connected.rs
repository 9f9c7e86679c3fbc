//! Fully connected layers with weights in 24 bits instead of 32: where no core's cache holds them, one image does
//! nothing but wait for them.
//!
//! A weight is an integer of 24 bits, as many as a float's significand has, times a factor that the weights of
//! [`SCALE_GROUP`] taps of an output have in common. It is within 2^-24 of the greatest of them, and with what unpacking
//! rounds within 1.25 times 2^-23. A sum of thousands of products rounds by more than what comes of that: of 4608
//! inputs, outputs are 1.1e-6 off in the root mean square, with these weights as with floats. Only next to a weight some
//! hundred times as great as the others of its section would more be lost.
//!
//! Packed are biases, then blocks of outputs one after the other: sections of a vector of factors and `[four taps; three
//! vectors]`. Taps are in the order `[input block, row, column, channel]`, and the fourth's vector lies in the
//! lowest bytes of the other three ([`Simd::unpack`]). Several blocks are multiplied at once, each with weights as they
//! are unpacked, in registers: as many streams from memory, of which one alone would be slower. Images do so one after
//! the other.

mod pack;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::operation::Operation;
use crate::cpu::layout::{
    AccessSet, CheckError, Context, ConvSpec, Map, Memory, Offsets, Output, ensure,
};
use crate::cpu::micro::fully_connected::{MAX_BLOCKS, MAX_LANES, SCALE_GROUP, TAPS, VECTORS};
use crate::cpu::micro::tile::TileArgs;

/// A fully connected layer that knows where everything lies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FullyConnected {
    spec: ConvSpec,
    x: Map,
    output: Output,
    /// The element of the packed weights where this layer's begin.
    weights: usize,
}

impl FullyConnected {
    /// The convolution `spec`, which [fits](Self::fits) an output of one pixel, of all of `x`, with its weights
    /// packed from element `weights` on.
    pub fn new(spec: ConvSpec, x: Map, output: Output, weights: usize) -> Self {
        Self {
            spec,
            x,
            output,
            weights,
        }
    }

    /// Whether it computes `spec` where the output is of this size: one window, over blocks that every
    /// instruction set fills.
    pub fn fits(spec: &ConvSpec, output: [usize; 2]) -> bool {
        output == [1, 1]
            && spec.groups == 1
            && spec.dilation == [1, 1]
            && spec.padding.is_empty()
            && spec.channels_in.is_multiple_of(MAX_LANES)
    }

    /// Elements of the packed weights of `spec` for an output in blocks of `lanes`.
    pub fn packed_len(spec: &ConvSpec, lanes: usize) -> usize {
        let depth = spec.channels_in * spec.kernel[0] * spec.kernel[1];
        spec.channels_out.div_ceil(lanes) * (lanes + block_len(depth, lanes))
    }

    /// Taps of each sum.
    fn depth(&self) -> usize {
        self.spec.channels_in * self.spec.kernel[0] * self.spec.kernel[1]
    }

    /// Where block `block`'s packed bias is, and its weights.
    fn packed(&self, block: usize) -> [usize; 2] {
        let y = &self.output.y;
        let [before, all] = [block, y.blocks()].map(|blocks| self.weights + blocks * y.lanes);
        [before, all + block * block_len(self.depth(), y.lanes)]
    }

    /// Blocks of outputs of an image.
    unsafe fn sums(
        &self,
        cx: &Context,
        offsets: Offsets,
        x: &Map,
        output: &Output,
        image: usize,
        blocks: Range<usize>,
    ) {
        let [bias, weights] = self.packed(blocks.start);
        let mut args = TileArgs {
            weights: cx.weights[weights..].as_ptr(),
            weights_pair: block_len(self.depth(), x.lanes),
            bias: cx.weights[bias..].as_ptr(),
            ..offsets.tile(self.spec.channels_in, x.lanes)
        };
        unsafe {
            args.x = cx.at(x.at(image, 0, 0, 0));
            cx.set_output(output, [image, blocks.start, 0, 0], &mut args);
            (cx.kernels.fully_connected[blocks.len() - 1])(&args);
        }
    }
}

impl Operation for FullyConnected {
    fn accesses(&self) -> AccessSet {
        AccessSet::layer(&self.x, &self.output)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        let Self {
            spec,
            x,
            output,
            weights,
        } = self;
        memory.map(x)?;
        memory.output(output, x)?;
        spec.check(x, &output.y)?;
        ensure(
            Self::fits(spec, [output.y.height, output.y.width]),
            "not a fully connected layer",
        )?;
        Offsets::check(x.image)?;
        // More than its own, which have three vectors for four and another for every section.
        let taps = spec.kernel[0].checked_mul(spec.kernel[1]);
        let most = taps.and_then(|taps| spec.most_packed(memory.lanes, taps));
        most.ok_or(CheckError::Outside)?;
        memory.weights(*weights, Some(Self::packed_len(spec, memory.lanes)))
    }

    fn scratch(&self) -> usize {
        Offsets::len(self.x.blocks(), self.spec.kernel)
    }

    /// # Safety
    ///
    /// The maps are within the arena, the packed weights within the weights.
    unsafe fn run(&self, cx: &Context) {
        let (x, output) = (
            &cx.at_micro_batch(&self.x),
            &cx.output_at_micro_batch(&self.output),
        );
        let [rows, columns] = self.spec.kernel;
        unsafe { cx.zero_border(&output.y) };
        let offsets = unsafe {
            Offsets::list(
                cx.scratch,
                (x.blocks(), x.block),
                (rows, x.row),
                (columns, x.lanes),
            )
        };
        let all = output.y.blocks();
        for group in cx.claim_ranges(all.div_ceil(MAX_BLOCKS), 1).flatten() {
            let blocks = group * MAX_BLOCKS..all.min((group + 1) * MAX_BLOCKS);
            for image in 0..cx.images {
                unsafe { self.sums(cx, offsets, x, output, image, blocks.clone()) };
            }
        }
    }
}

/// Elements of a block's packed weights of `depth` taps.
fn block_len(depth: usize, lanes: usize) -> usize {
    lanes * (depth.div_ceil(SCALE_GROUP) + depth / TAPS * VECTORS)
}
