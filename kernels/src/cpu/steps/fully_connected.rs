//! Fully connected layers with weights of 24 instead of 32 bits. If no core's cache holds the
//! weights, the time of the layer for one image is the time of reading the weights.
//!
//! A weight is a 24-bit integer, as precise as the significand of an `f32`, times a scale factor
//! that the weights of [`SCALE_GROUP`] taps of an output share. The weight is within 2^-24 of the
//! largest weight of its group, with the rounding of unpacking within 1.25 times 2^-23. Sums of
//! thousands of products round by more: for 4608 inputs, the RMS error of outputs is 1.1e-6 with
//! 24-bit weights as well as with 32-bit weights. Precision is lost only beside a weight some
//! hundred times as large as the others of its group.
//!
//! Biases come first in the packed weights, then the blocks of outputs: for each group of taps a
//! vector of scale factors, then three vectors for every four taps. Taps are in the order `[input
//! block, row, column, channel]`; the fourth vector lies in the lowest bytes of the other three
//! ([`Simd::unpack`](crate::cpu::micro::simd::Simd::unpack)). Up to four blocks are computed at
//! once, since one stream from DRAM would not reach its full bandwidth; weights are multiplied as
//! they are unpacked, in registers. Images are computed one after the other.

mod pack;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::operation::Operation;
use crate::cpu::layout::{
    AccessSet, CheckError, Context, ConvSpec, Map, Memory, Offsets, Output, ensure,
};
use crate::cpu::micro::fully_connected::{MAX_BLOCKS, SCALE_GROUP, TAPS, VECTORS};
use crate::cpu::micro::simd::MAX_LANES;
use crate::cpu::micro::tile::TileArgs;

/// A fully connected layer with the offsets of its maps and weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FullyConnected {
    spec: ConvSpec,
    x: Map,
    output: Output,
    /// Offset of the layer in the packed weights.
    weights: usize,
}

impl FullyConnected {
    /// The convolution `spec` of the whole of `x`, which [fits](Self::fits) an output of one pixel,
    /// with its weights packed from element `weights` on.
    pub fn new(spec: ConvSpec, x: Map, output: Output, weights: usize) -> Self {
        Self {
            spec,
            x,
            output,
            weights,
        }
    }

    /// Whether the algorithm computes `spec` for an output of this size: a single window, over
    /// blocks that are full on every instruction set.
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

    /// Taps of each output.
    fn depth(&self) -> usize {
        self.spec.channels_in * self.spec.kernel[0] * self.spec.kernel[1]
    }

    /// Offsets of the packed bias and weights of block `block`.
    fn packed(&self, block: usize) -> [usize; 2] {
        let y = &self.output.y;
        let [before, all] = [block, y.blocks()].map(|blocks| self.weights + blocks * y.lanes);
        [before, all + block * block_len(self.depth(), y.lanes)]
    }

    /// Computes blocks of outputs of one image.
    ///
    /// # Safety
    ///
    /// As [`run`](Operation::run).
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
        // SAFETY: the elements belong to checked maps and packed weights, and this thread alone
        // writes them.
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
            "the convolution is not a fully connected layer",
        )?;
        Offsets::check(x.image)?;
        // An upper bound: three vectors hold four taps, and each group adds one vector.
        let taps = spec.kernel[0].checked_mul(spec.kernel[1]);
        let most = taps.and_then(|taps| spec.most_packed(memory.lanes, taps));
        most.ok_or(CheckError::Outside)?;
        memory.weights(*weights, Some(Self::packed_len(spec, memory.lanes)))
    }

    fn scratch(&self) -> usize {
        Offsets::len(self.x.blocks(), self.spec.kernel)
    }

    unsafe fn run(&self, cx: &Context) {
        let (x, output) = (
            &cx.at_micro_batch(&self.x),
            &cx.output_at_micro_batch(&self.output),
        );
        let [rows, columns] = self.spec.kernel;
        // SAFETY: the map is within the arena, and only this step accesses it.
        unsafe { cx.zero_border(&output.y) };
        // SAFETY: the list fits this thread's scratch memory, which nothing else accesses
        // meanwhile.
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
                // SAFETY: as the caller guarantees.
                unsafe { self.sums(cx, offsets, x, output, image, blocks.clone()) };
            }
        }
    }
}

/// Elements of a block's packed weights of `depth` taps.
fn block_len(depth: usize, lanes: usize) -> usize {
    lanes * (depth.div_ceil(SCALE_GROUP) + depth / TAPS * VECTORS)
}
