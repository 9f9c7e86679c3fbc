//! Direct convolution: any kernel, stride, dilation and groups, over blocked or planar maps.
//! Pointwise and fully connected layers are special cases.
//!
//! Rows of output pixels are divided into tiles. The tiles of a chunk, whose input stays in the
//! cache, are computed for one or two blocks of output channels after the other, with packed
//! weights `[input block, kernel row, kernel column, channel, output block, lane]`. If these
//! weights exceed the nearest cache, the input blocks are divided into depth blocks: the products
//! of the first are accumulated for the whole chunk, then those of the next (`kc` blocking; Goto &
//! van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008).
//!
//! If all outputs fill at most half of a vector, the other half holds the next pixel: the kernel is
//! widened by the stride, and each half has zero weights for the taps of the other pixel. LeNet-5's
//! six maps take 6 taps per kernel row for two pixels instead of 5 for one.

mod pack;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::operation::Operation;
use crate::cpu::layout::{
    AccessSet, CheckError, Context, ConvSpec, Map, Memory, Offsets, Output, Rows, Strip, ensure,
};
use crate::cpu::micro::activation::Activation;
use crate::cpu::micro::blocking::Blocking;
use crate::cpu::micro::prefetch::PrefetchPlan;
use crate::cpu::micro::tile::{PAIRS, TileArgs};
use crate::threads::Grid;
use crate::threads::partition::{partition_range, ranges_of_at_most};

/// A direct convolution with the offsets of its maps and weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Direct {
    spec: ConvSpec,
    x: Map,
    output: Output,
    groups: Vec<OutputGroup>,
    /// Pixels of a vector of outputs: 1, or 2 with half of the lanes each.
    pixels: usize,
    /// Offset of the layer in the packed weights.
    weights: usize,
}

/// One or two blocks of output channels, computed by the same tiles.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct OutputGroup {
    /// First output block, and number of output blocks.
    pub(super) block: usize,
    pub(super) blocks: usize,
    /// First block of input channels that the outputs read, and number of channels.
    pub(super) first: usize,
    pub(super) channels: usize,
    /// Offset of the group's bias and taps in the layer's packed weights.
    pub(super) weights: usize,
}

/// A range of input channels of one or several output groups, whose products are accumulated for
/// all tiles before those of the next range (`kc` blocking).
pub(super) struct DepthBlock<'a> {
    /// The first group.
    pub(super) group: &'a OutputGroup,
    /// Output blocks of all groups.
    pub(super) blocks: usize,
    /// Stride from the packed weights of one group to those of the next.
    pair: usize,
    /// Input channels, counted from the group's first.
    pub(super) depth: Range<usize>,
    /// Offset of the biases in the packed weights.
    pub(super) bias: usize,
    /// Packed weights of these channels, and of the next depth block.
    pub(super) panel: Range<usize>,
    pub(super) next: Range<usize>,
    /// Whether accumulators start from the bias, and whether sums are complete afterwards.
    pub(super) first: bool,
    last: bool,
}

impl Direct {
    /// The convolution `spec` of `x`, with its weights packed from element `weights` on. `x` has at
    /// least the border that `spec` pads by.
    pub fn new(spec: ConvSpec, x: Map, output: Output, weights: usize) -> Self {
        let pointwise = spec.kernel == [1, 1] && spec.stride == [1, 1];
        // A flat map has no border, so an output with a border, which must be zeroed, stays as it
        // is.
        let dense = x.is_dense()
            && output.is_dense()
            && output.y.border.is_empty()
            && spec.padding.is_empty();
        let (x, output) = if pointwise && dense {
            (x.flat(), output.flat())
        } else {
            (x, output)
        };
        let pairs = pairs(&spec, output.y.lanes)
            && output.y.width.is_multiple_of(2)
            && output.residual.is_none();
        Self {
            spec,
            x,
            output,
            groups: groups(&spec, x.lanes, output.y.lanes),
            pixels: 1 + usize::from(pairs),
            weights,
        }
    }

    /// Elements of the packed weights of `spec` for an input in blocks of `lanes_in` channels and
    /// an output in blocks of `lanes`. If pixels could share vectors but the output's width is odd,
    /// the last elements are unused.
    pub fn packed_len(spec: &ConvSpec, lanes_in: usize, lanes: usize) -> usize {
        let kernel = kernel(spec, 1 + usize::from(pairs(spec, lanes)));
        groups(spec, lanes_in, lanes)
            .last()
            .map_or(0, |last| last.weights + last.len(kernel, lanes))
    }

    /// Rows and columns of taps of a vector of outputs.
    fn kernel(&self) -> [usize; 2] {
        kernel(&self.spec, self.pixels)
    }

    /// The convolution.
    pub(super) fn spec(&self) -> &ConvSpec {
        &self.spec
    }

    /// Number of groups of output blocks.
    pub(super) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Number of ranges of input channels that are accumulated one after the other.
    pub(super) fn parts(&self, blocking: Blocking) -> usize {
        let Self { spec, x, .. } = self;
        let taps = spec.kernel[0] * spec.kernel[1];
        let most = self.groups.iter().map(|group| group.channels).max();
        blocking.parts(most.unwrap_or(1), x.lanes, taps, self.output.y.lanes)
    }

    /// The depth blocks of some of the groups: the input channels in `parts` ranges, `at_once`
    /// groups at a time.
    pub(super) fn depth_blocks(
        &self,
        parts: usize,
        groups: Range<usize>,
        at_once: usize,
    ) -> impl Iterator<Item = DepthBlock<'_>> {
        let (step, lanes) = (self.x.lanes, self.output.y.lanes);
        let kernel = self.kernel();
        let taps = kernel[0] * kernel[1];
        let groups = &self.groups[groups];
        let odd = groups.last().is_some_and(|group| group.blocks == 1);
        let (pairs, odd) = groups.split_at(groups.len() - usize::from(odd));
        let depth_blocks = (0..parts).flat_map(move |part| {
            let groups = pairs.chunks(at_once).chain(odd.chunks(1));
            groups.filter_map(move |groups| {
                let group = &groups[0];
                let blocks = group.channels.div_ceil(step);
                let parts = parts.min(blocks);
                (part < parts).then(|| {
                    let blocks = partition_range(blocks, parts, part);
                    let depth = blocks.start * step..(blocks.end * step).min(group.channels);
                    let bias = self.weights + group.weights;
                    let channel = |channel| bias + group.blocks * lanes * (1 + channel * taps);
                    DepthBlock {
                        group,
                        blocks: groups.len() * group.blocks,
                        pair: group.len(kernel, lanes),
                        bias,
                        panel: channel(depth.start)..channel(depth.end),
                        next: 0..0,
                        depth,
                        first: part == 0,
                        last: part + 1 == parts,
                    }
                })
            })
        });
        let mut depth_blocks = depth_blocks.peekable();
        std::iter::from_fn(move || {
            let depth_block = depth_blocks.next()?;
            let next = depth_blocks.peek().map_or(0..0, |next| next.panel.clone());
            Some(DepthBlock {
                next,
                ..depth_block
            })
        })
    }

    /// Whether the taps of a kernel row are contiguous, as in a planar map.
    fn has_rows_of_taps(&self) -> bool {
        self.x.lanes == 1 && self.spec.dilation[1] == 1
    }

    /// Rows and columns of window positions in each input block.
    fn positions(&self) -> [usize; 2] {
        let [rows, columns] = self.kernel();
        [rows, if self.has_rows_of_taps() { 1 } else { columns }]
    }

    /// Most input blocks that a group reads.
    fn blocks_in(&self) -> usize {
        let most = self.groups.iter().map(|group| group.channels).max();
        most.unwrap_or(0).div_ceil(self.x.lanes)
    }

    /// Writes the offsets of a window's taps in `x`.
    ///
    /// # Safety
    ///
    /// `memory` has [`scratch`](Operation::scratch) elements, which no other thread accesses.
    unsafe fn offsets(&self, x: &Map, memory: *mut f32) -> Offsets {
        let [rows, columns] = self.positions();
        let [down, across] = self.spec.dilation;
        // SAFETY: the list fits this thread's scratch memory, which nothing else accesses
        // meanwhile.
        unsafe {
            Offsets::list(
                memory,
                (self.blocks_in(), x.block),
                (rows, down * x.row),
                (columns, across * x.lanes),
            )
        }
    }

    /// Input pixels that an output pixel reads and its neighbours do not. If windows skip pixels,
    /// twice as many, since cache lines hold the skipped pixels too.
    fn new_taps(&self) -> usize {
        let Self { spec, .. } = self;
        let reads = |i: usize| spec.stride[i].min(spec.kernel[i]);
        let leaves_out = (0..2).any(|i| reads(i) < spec.stride[i]);
        reads(0) * reads(1) * (1 + usize::from(leaves_out))
    }
}

impl Operation for Direct {
    fn accesses(&self) -> AccessSet {
        AccessSet::layer(&self.x, &self.output)
    }

    fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        let Self {
            spec, x, output, ..
        } = self;
        memory.any_map(x)?;
        memory.output(output, x)?;
        spec.check(x, &output.y)?;
        let taps = spec.kernel[1]
            .checked_add(spec.stride[1])
            .and_then(|columns| columns.checked_mul(spec.kernel[0]));
        let most = taps.and_then(|taps| spec.most_packed(memory.lanes, taps));
        most.ok_or(CheckError::Outside)?;
        ensure(
            self.groups.len() == output.y.blocks().div_ceil(2)
                && *self == Self::new(*spec, *x, *output, self.weights),
            "derived fields differ from those of a direct convolution",
        )?;
        Offsets::check(x.image)?;
        let len = Self::packed_len(spec, x.lanes, memory.lanes);
        memory.weights(self.weights, Some(len))
    }

    fn scratch(&self) -> usize {
        Offsets::len(self.blocks_in(), self.positions())
    }

    unsafe fn run(&self, cx: &Context) {
        let Self {
            spec, x, output, ..
        } = self;
        let (x, output) = (&cx.at_micro_batch(x), cx.output_at_micro_batch(output));
        let y = &output.y;
        // Outputs of one pixel form a row of images.
        let single = y.height * y.width == 1;
        let pixels = self.pixels;
        let [images, width] = if single {
            [1, cx.images]
        } else {
            [cx.images, y.width / pixels]
        };
        let pixel = |map: &Map, stride: usize| {
            if single {
                map.image
            } else {
                pixels * stride * map.lanes
            }
        };
        let blocks = self.groups.first().map_or(1, |group| group.blocks);
        let rows = Rows::new([y.height, width], cx.kernels.blocking.widest(blocks));
        let tiles = images * y.height * rows.per_row();

        let kernel = self.kernel();
        let taps = kernel[0] * kernel[1];
        let vectors = width as f64 / rows.per_row() as f64;
        let seen = spec.channels_in * pixels * self.new_taps();
        let depth = (spec.channels_in / spec.groups * taps) as f64;
        let per_tile = vectors * seen as f64;
        let grid = Grid::new(
            cx.threads,
            [tiles, self.groups.len()],
            2.0 * vectors * depth,
            [per_tile, 2.0 * y.lanes as f64 * depth],
        );
        // A single tile reads its weights once, in order.
        let parts = match (tiles, output.residual, pixels) {
            (1, None, _) | (_, _, 2) => 1,
            _ => self.parts(cx.kernels.blocking),
        };
        let chunk = cx.kernels.blocking.chunk(parts) / (per_tile as usize).max(1);
        let chunk = chunk.max(1);
        let at_once = match [tiles, width, spec.groups] {
            [1, 1, 1] => PAIRS,
            _ => 1,
        };

        // SAFETY: the map is within the arena, and only this step accesses it.
        unsafe { cx.zero_border(y) };
        // SAFETY: the list fits this thread's scratch memory, which nothing else accesses
        // meanwhile.
        let offsets = unsafe { self.offsets(x, cx.scratch) };
        let x_pixel = pixel(x, spec.stride[1]);
        let chunks = cx.claim_grid(grid).flat_map(|[tiles, groups]| {
            let parts = ranges_of_at_most(tiles, chunk);
            parts.map(move |tiles| [tiles, groups.clone()])
        });
        for [tiles, groups] in chunks {
            for depth_block in self.depth_blocks(parts, groups, at_once) {
                let group = depth_block.group;
                let panel = &cx.weights[depth_block.panel.clone()];
                let next = &cx.weights[depth_block.next.clone()];
                let prefetch_plan = PrefetchPlan::new(
                    panel,
                    next,
                    tiles.len(),
                    depth_block.depth.len() * taps,
                    cx.kernels.unroll,
                );
                let mut args = TileArgs {
                    x_pixel,
                    weights: panel.as_ptr(),
                    weights_pair: depth_block.pair,
                    bias: cx.weights[depth_block.bias..].as_ptr(),
                    accumulate: !depth_block.first,
                    pixel_pairs: pixels == 2,
                    ..if self.has_rows_of_taps() {
                        offsets.tile_of_rows(depth_block.depth.len(), kernel[1], 0)
                    } else {
                        offsets.tile(depth_block.depth.len(), x.lanes)
                    }
                };
                for strip in rows.strips(tiles.clone()) {
                    let Strip {
                        image, row, column, ..
                    } = strip;
                    let top = x.border.top - spec.padding.top + row * spec.stride[0];
                    let left = x.border.left - spec.padding.left;
                    let from = x.offset
                        + image * x.image
                        + (group.first + depth_block.depth.start / x.lanes) * x.block
                        + top * x.row
                        + left * x.lanes
                        + column * x_pixel;
                    let position = if single {
                        [column, group.block, 0, 0]
                    } else {
                        [image, group.block, row, pixels * column]
                    };
                    // SAFETY: the elements belong to checked maps and packed weights, and this
                    // thread alone writes them.
                    unsafe {
                        args.x = cx.at(from);
                        cx.set_output(&output, position, &mut args);
                        depth_block.set_residual_and_activation(&mut args);
                        args.y_pixel = pixel(y, 1);
                        if single {
                            args.residual_pixel = output.residual.map_or(0, |map| map.image);
                        }
                        strip.compute(cx.kernels, depth_block.blocks, &prefetch_plan, &mut args);
                    }
                }
            }
        }
    }
}

impl DepthBlock<'_> {
    /// Adds the residual in the first depth block only, and applies the activation in the last.
    pub(super) fn set_residual_and_activation(&self, args: &mut TileArgs) {
        if !self.first {
            args.residual = std::ptr::null();
        }
        if !self.last {
            args.activation = Activation::Identity;
        }
    }
}

impl OutputGroup {
    /// Elements of the group's packed weights.
    fn len(&self, kernel: [usize; 2], lanes: usize) -> usize {
        self.blocks * lanes * (1 + self.channels * kernel[0] * kernel[1])
    }
}

/// Whether two pixels can share a vector and then need fewer taps than one after the other.
fn pairs(spec: &ConvSpec, lanes: usize) -> bool {
    2 * spec.channels_out <= lanes
        && spec.groups == 1
        && spec.dilation[1] == 1
        && spec.stride[1] < spec.kernel[1]
}

/// Rows and columns of taps of `pixels` adjacent pixels.
fn kernel(spec: &ConvSpec, pixels: usize) -> [usize; 2] {
    let [rows, columns] = spec.kernel;
    [rows, columns + (pixels - 1) * spec.stride[1]]
}

/// Pairs of output blocks; the last block is alone if their number is odd.
fn groups(spec: &ConvSpec, step: usize, lanes: usize) -> Vec<OutputGroup> {
    let total = spec.channels_out.div_ceil(lanes);
    let [group_in, group_out] = [
        spec.channels_in / spec.groups,
        spec.channels_out / spec.groups,
    ];
    let mut weights = 0;
    (0..total)
        .step_by(2)
        .map(|block| {
            let blocks = (total - block).min(2);
            let last_out = ((block + blocks) * lanes).min(spec.channels_out) - 1;
            let first = block * lanes / group_out * group_in / step;
            let channels = (last_out / group_out + 1) * group_in - first * step;
            let group = OutputGroup {
                block,
                blocks,
                first,
                channels,
                weights,
            };
            weights += group.len(spec.kernel, lanes);
            group
        })
        .collect()
}
