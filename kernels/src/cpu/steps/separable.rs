//! Depthwise convolution fused with the following pointwise convolution: the intermediate map stays
//! in the cache.
//!
//! A thread computes the depthwise convolution of a few rows, all channels, into its scratch
//! memory, then the pointwise convolution of these pixels. If threads divide the output channels
//! instead of the rows, each thread repeats the depthwise convolution, which is a few per cent of
//! the work.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::depthwise::Depthwise;
use super::direct::Direct;
use super::operation::Operation;
use crate::cpu::layout::{
    AccessSet, Border, CheckError, Context, ConvSpec, Map, Memory, Offsets, Output, Rows, ensure,
};
use crate::cpu::micro::activation::Activation;
use crate::cpu::micro::blocking::Blocking;
use crate::cpu::micro::prefetch::PrefetchPlan;
use crate::cpu::micro::tile::TileArgs;
use crate::threads::Grid;

/// Depthwise convolution fused with the pointwise convolution after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Separable {
    depthwise: Depthwise,
    pointwise: Direct,
    output: Output,
    /// Rows between the convolutions that a thread buffers in its scratch memory.
    between: Map,
}

impl Separable {
    /// The depthwise convolution `first.0` of `x`, the activation `first.1`, and the pointwise
    /// convolution `second`, with their weights packed from element `weights` on. `x` has at least
    /// the border that the depthwise convolution pads by.
    pub fn new(
        first: (ConvSpec, Activation),
        second: ConvSpec,
        x: Map,
        output: Output,
        weights: usize,
        blocking: Blocking,
    ) -> Self {
        let (spec, activation) = first;
        let y = &output.y;
        let [height, width] = [y.height, y.width];
        let row = width * x.lanes * x.blocks();
        let rows = (blocking.between() / row).clamp(1, height);
        let between = Map::new([x.channels, rows, width], Border::default(), x.lanes, 0);
        let middle = Output {
            y: between,
            residual: None,
            activation,
        };
        Self {
            depthwise: Depthwise::new(spec, x, middle, weights),
            pointwise: Direct::new(
                second,
                between,
                output,
                weights + Depthwise::packed_len(&spec, x.lanes),
            ),
            output,
            between,
        }
    }

    /// Elements of the packed weights of both convolutions.
    pub fn packed_len(first: &ConvSpec, second: &ConvSpec, lanes: usize) -> usize {
        Depthwise::packed_len(first, lanes) + Direct::packed_len(second, lanes, lanes)
    }

    /// Packs the weights and biases of both convolutions.
    pub fn pack(
        &self,
        first: (&[f32], Option<&[f32]>),
        second: (&[f32], Option<&[f32]>),
        packed: &mut [f32],
    ) {
        self.depthwise.pack(first.0, first.1, packed);
        self.pointwise.pack(second.0, second.1, packed);
    }

    /// Computes the depthwise convolution of `count` rows, all channels.
    ///
    /// # Safety
    ///
    /// As [`run`](Operation::run); the rows are rows of one image, and at most as many as the
    /// buffer holds.
    unsafe fn buffer_rows(&self, cx: &Context, row: usize, count: usize) {
        let y = &self.output.y;
        let (image, first) = (row / y.height, row % y.height);
        let row = y.width * y.lanes;
        for block in 0..self.between.blocks() {
            // SAFETY: the offset is within this thread's scratch memory.
            unsafe {
                let to = (cx.scratch.add(block * count * row), row);
                let rows = first..first + count;
                let residual = (std::ptr::null(), 0);
                self.depthwise.rows(cx, [image, block], rows, to, residual);
            }
        }
    }

    /// Computes the pointwise convolution of the buffered rows for some groups of outputs.
    ///
    /// # Safety
    ///
    /// As [`run`](Operation::run).
    unsafe fn multiply(
        &self,
        cx: &Context,
        output: &Output,
        row: usize,
        count: usize,
        groups: Range<usize>,
    ) {
        let Self {
            pointwise, between, ..
        } = self;
        let y = &output.y;
        let lanes = y.lanes;
        let (image, first) = (row / y.height, row % y.height);
        let pixels = count * y.width;
        let x_block = pixels * lanes;
        // SAFETY: the list fits this thread's scratch memory, which nothing else accesses
        // meanwhile.
        let offsets = unsafe {
            let memory = cx.scratch.add(between.elements());
            Offsets::pointwise(memory, between.blocks(), x_block)
        };
        // In a dense map the pixels of successive rows are contiguous.
        let [lines, width] = if output.is_dense() {
            [1, pixels]
        } else {
            [count, y.width]
        };
        let rows = Rows::new([lines, width], cx.kernels.blocking.mr);
        let tiles = lines * rows.per_row();
        for depth_block in pointwise.depth_blocks(pointwise.parts(cx.kernels.blocking), groups, 1) {
            let group = depth_block.group;
            let panel = &cx.weights[depth_block.panel.clone()];
            let next = &cx.weights[depth_block.next.clone()];
            let prefetch_plan = PrefetchPlan::new(
                panel,
                next,
                tiles,
                depth_block.depth.len(),
                cx.kernels.unroll,
            );
            // SAFETY: the elements belong to checked maps, and this thread alone writes them.
            let channels = unsafe { cx.scratch.add(depth_block.depth.start / lanes * x_block) };
            let mut args = TileArgs {
                bias: cx.weights[depth_block.bias..].as_ptr(),
                accumulate: !depth_block.first,
                weights: panel.as_ptr(),
                ..offsets.tile(depth_block.depth.len(), lanes)
            };
            for strip in rows.strips(0..tiles) {
                let from = (strip.row * y.width + strip.column) * lanes;
                let position = [image, group.block, first + strip.row, strip.column];
                // SAFETY: the elements belong to checked maps and packed weights, and this thread
                // alone writes them.
                unsafe {
                    args.x = channels.add(from);
                    cx.set_output(output, position, &mut args);
                    depth_block.set_residual_and_activation(&mut args);
                    strip.compute(cx.kernels, group.blocks, &prefetch_plan, &mut args);
                }
            }
        }
    }
}

impl Operation for Separable {
    fn accesses(&self) -> AccessSet {
        AccessSet::layer(self.depthwise.parts().1, &self.output)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        let Self {
            depthwise,
            pointwise,
            output,
            ..
        } = self;
        let (first, x, activation, weights) = depthwise.parts();
        memory.map(x)?;
        memory.output(output, x)?;
        // The intermediate map, with the height of the output.
        let middle = Map {
            channels: x.channels,
            ..output.y
        };
        first.check(x, &middle)?;
        depthwise.check_weights(memory)?;
        let second = pointwise.spec();
        second.check(&middle, &output.y)?;
        ensure(
            second.kernel == [1, 1]
                && second.stride == [1, 1]
                && second.padding.is_empty()
                && second.groups == 1,
            "the second convolution is not pointwise",
        )?;
        second
            .most_packed(memory.lanes, 1)
            .ok_or(CheckError::Outside)?;
        ensure(
            pointwise.groups() == output.y.blocks().div_ceil(2)
                && *self
                    == Self::new(
                        (*first, activation),
                        *second,
                        *x,
                        *output,
                        weights,
                        memory.blocking,
                    ),
            "derived fields differ from those of a separable convolution",
        )?;
        let len = Self::packed_len(first, second, memory.lanes);
        memory.weights(weights, Some(len))
    }

    fn scratch(&self) -> usize {
        self.between.elements() + Offsets::len(self.between.blocks(), [1, 1])
    }

    unsafe fn run(&self, cx: &Context) {
        let Self {
            depthwise,
            pointwise,
            output,
            between,
        } = self;
        let output = cx.output_at_micro_batch(output);
        let y = &output.y;
        let rows = cx.images * y.height;
        let groups = pointwise.groups();
        let depth = between.channels as f64;
        let grid = Grid::new(
            cx.threads,
            [rows, groups],
            2.0 * y.width as f64 * depth,
            [
                // The time of the depthwise convolution in units of a DRAM read: it multiplies at
                // half the rate.
                4.0 * (y.width * between.blocks() * depthwise.taps()) as f64,
                2.0 * y.lanes as f64 * depth,
            ],
        );
        // If the buffer holds all rows of the thread, it serves all outputs; otherwise each chunk
        // has its own rows.
        let grid = if cx.images == 1 && y.height.div_ceil(grid.parts()[0]) <= between.height {
            grid.with_chunks(1, 1)
        } else {
            grid.chunked_along(0)
        };

        // SAFETY: the map is within the arena, and only this step accesses it.
        unsafe { cx.zero_border(y) };
        let mut buffered = [0; 2];
        for [rows, groups] in cx.claim_grid(grid) {
            let mut row = rows.start;
            while row < rows.end {
                // Nearly equal parts of the rest of the image.
                let left = (y.height - row % y.height).min(rows.end - row);
                let count = left.div_ceil(left.div_ceil(between.height));
                // SAFETY: as the caller guarantees.
                unsafe {
                    if buffered != [row, count] {
                        buffered = [row, count];
                        self.buffer_rows(cx, row, count);
                    }
                    self.multiply(cx, &output, row, count, groups.clone());
                }
                row += count;
            }
        }
    }
}
