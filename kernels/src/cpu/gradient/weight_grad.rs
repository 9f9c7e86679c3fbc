//! Gradient of a convolution's weight and bias.
//!
//! For each output channel, input channel and tap, the gradient of the weight is the sum over all
//! images and output pixels of the output gradient times the input under the tap.
//!
//! The input is blocked by the channels of a [tile](crate::cpu::micro::gradient::WeightGradTiles).
//! If it has fewer channels than the kernel has columns, it is planar: the taps of a row of the
//! kernel are adjacent and take the place of channels in the tile. The output gradient is blocked by
//! two vectors. Each thread computes its own tiles, so that no sums are combined across threads. A
//! thread passes over the pixels in chunks that stay in the L1 cache for all its tiles.

use crate::cpu::layout::{Border, Buffer, Context, ConvSpec, Map};
use crate::cpu::micro::gradient::{DepthwiseWeightGradArgs, WeightGradArgs, is_three_by_three};
use crate::cpu::micro::kernels::Kernels;
use crate::cpu::micro::simd::Isa;
use crate::cpu::steps::{Import, Operation};
use crate::threads::partition::partition_range;
use crate::threads::{Shared, TeamPart, run_team, run_team_phases};

/// Output pixels of a chunk, over which all tiles of a block of output channels are summed before
/// the next chunk.
const PIXELS_PER_CHUNK: usize = 192;

/// Approximate size of the maps of a micro-batch, in elements, so that a cache holds them.
const MICRO_BATCH_ELEMENTS: usize = 2 << 20;

/// Elements of a cache line.
const CACHE_LINE_ELEMENTS: usize = 16;

/// Returns the gradient of the weight, `[out, in / groups, height, width]`, of the convolution `spec`,
/// which has one group or is depthwise. `x` is the input of the convolution, with height and width
/// `size`; `gradient` is the gradient of its output. `memory` is scratch memory, which grows to the
/// required size.
///
/// # Panics
///
/// When the lengths of the arrays do not fit the convolution, or it has several groups and is not
/// depthwise.
pub(crate) fn weight_gradient(
    isa: Isa,
    threads: usize,
    spec: &ConvSpec,
    size: [usize; 2],
    [x, gradient]: [&[f32]; 2],
    memory: &mut Buffer,
) -> Vec<f32> {
    let kernels = Kernels::get(isa);
    let plan = WeightGradPlan::new(kernels, spec, size, x.len(), gradient.len());
    if memory.len() < plan.end {
        *memory = Buffer::zeroed(plan.end);
    }
    memory[plan.sums..plan.end].fill(0.0);
    let memory = Shared::new(memory);
    let mut weights = Vec::with_capacity(spec.weights());
    let to = Shared::uninit(weights.spare_capacity_mut());
    let starts = (0..plan.images).step_by(plan.micro_batch);
    let phases =
        starts.flat_map(|first| [WeightGradPhase::Import(first), WeightGradPhase::Sum(first)]);
    let phases = phases.chain([WeightGradPhase::Unpack]);
    run_team_phases(threads, phases, |part, phase| {
        let images = |first: usize| plan.micro_batch.min(plan.images - first);
        // SAFETY: the memory holds the maps and the sums, and the arrays hold the images from `first`
        // on. Each part of a phase writes its own range of the maps, its own sums, or its own elements
        // of the weight, and a phase begins when the phase before is complete.
        unsafe {
            match *phase {
                WeightGradPhase::Import(first) => {
                    plan.import(
                        part,
                        memory,
                        images(first),
                        [x, gradient].map(<[f32]>::as_ptr),
                        first,
                    );
                }
                WeightGradPhase::Sum(first) => plan.sum(part, memory, images(first)),
                WeightGradPhase::Unpack => plan.unpack(part, memory, to),
            }
        }
    });
    // SAFETY: the static ranges of the parts cover all elements of the weight.
    unsafe { weights.set_len(spec.weights()) };
    weights
}

/// Returns the gradient of a bias: the sum of `gradient`, `[images, channels, area]`, over each
/// channel.
pub(crate) fn bias_gradient(
    threads: usize,
    channels: usize,
    area: usize,
    gradient: &[f32],
) -> Vec<f32> {
    let mut sums = vec![0.0; channels];
    let to = Shared::new(&mut sums);
    run_team(threads, &|part| {
        for channel in part.static_range(channels) {
            let images = gradient.chunks_exact(channels * area);
            let planes = images.map(|image| &image[channel * area..][..area]);
            let sum: f64 = planes.map(|plane| f64::from(plane_sum(plane))).sum();
            // SAFETY: the array has `channels` elements, and only this thread writes this one.
            unsafe { *to.at(channel) = sum as f32 };
        }
    });
    sums
}

/// Sum of a plane in sixteen partial sums, which limit the rounding error and which the compiler
/// vectorizes.
fn plane_sum(values: &[f32]) -> f32 {
    let mut partial_sums = [0.0; 16];
    let chunks = values.chunks_exact(16);
    let rest: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for (sum, value) in partial_sums.iter_mut().zip(chunk) {
            *sum += value;
        }
    }
    partial_sums.iter().sum::<f32>() + rest
}

/// A phase of the computation of the gradient of a weight.
enum WeightGradPhase {
    /// Copies the micro-batch from this image on into the maps.
    Import(usize),
    /// Adds the products of the micro-batch from this image on to the sums.
    Sum(usize),
    /// Copies the sums to the weight.
    Unpack,
}

/// Memory layout and tiles of the gradient of a weight.
struct WeightGradPlan {
    kernels: &'static Kernels,
    spec: ConvSpec,
    images: usize,
    /// Images that the maps hold at a time.
    micro_batch: usize,
    x: Map,
    gradient: Map,
    /// Offset of the sums in the memory.
    sums: usize,
    /// Elements of the memory.
    end: usize,
}

impl WeightGradPlan {
    fn new(
        kernels: &'static Kernels,
        spec: &ConvSpec,
        size: [usize; 2],
        x_len: usize,
        gradient_len: usize,
    ) -> Self {
        let output = spec.output(size);
        let image = spec.channels_in * size[0] * size[1];
        let images = x_len / image;
        assert!(
            x_len == images * image
                && gradient_len == images * spec.channels_out * output[0] * output[1],
            "arrays of {x_len} inputs and {gradient_len} gradients do not fit the convolution"
        );
        assert!(
            spec.groups == 1 || spec.is_depthwise(),
            "expected one group or a depthwise convolution, found {} groups",
            spec.groups
        );
        let mr = kernels.blocking.mr;
        let planar = spec.channels_in < spec.kernel[1].min(mr) && spec.dilation[1] == 1;
        let [x_lanes, lanes] = match spec.is_depthwise() {
            true => [kernels.lanes; 2],
            false if planar => [1, 2 * kernels.lanes],
            false => [mr, 2 * kernels.lanes],
        };
        let shape = [spec.channels_in, size[0], size[1]];
        let x = Map::new(shape, spec.padding, x_lanes, 0);
        let shape = [spec.channels_out, output[0], output[1]];
        let gradient = Map::new(shape, Border::default(), lanes, 0);
        let micro_batch =
            (MICRO_BATCH_ELEMENTS / (x.image + gradient.image)).clamp(1, images.max(1));
        let x = x.with_slots(micro_batch);
        let gradient = Map {
            offset: x.elements().next_multiple_of(CACHE_LINE_ELEMENTS),
            ..gradient.with_slots(micro_batch)
        };
        let sums = gradient.end().next_multiple_of(CACHE_LINE_ELEMENTS);
        let mut plan = Self {
            kernels,
            spec: *spec,
            images,
            micro_batch,
            x,
            gradient,
            sums,
            end: sums,
        };
        plan.end += match spec.is_depthwise() {
            true => x.blocks() * spec.kernel[0] * spec.kernel[1] * kernels.lanes,
            false => gradient.blocks() * plan.tiles_per_block() * mr * gradient.lanes,
        };
        plan
    }

    /// Tiles that cover a row of the kernel: for a planar input the ranges of columns that a tile
    /// holds, otherwise the columns.
    fn tiles_per_kernel_row(&self) -> usize {
        match self.x.lanes {
            1 => self.spec.kernel[1].div_ceil(self.kernels.blocking.mr),
            _ => self.spec.kernel[1],
        }
    }

    /// Tiles of each block of output channels.
    fn tiles_per_block(&self) -> usize {
        self.x.blocks() * self.spec.kernel[0] * self.tiles_per_kernel_row()
    }

    /// The weights of tile `tile` of a block of output channels.
    fn tile(&self, tile: usize) -> Tile {
        let per_row = self.tiles_per_kernel_row();
        let block = tile / per_row / self.spec.kernel[0];
        let kernel_row = tile / per_row % self.spec.kernel[0];
        let columns = partition_range(self.spec.kernel[1], per_row, tile % per_row);
        Tile {
            block,
            kernel_row,
            kernel_column: columns.start,
            rows: match self.x.lanes {
                1 => columns.len(),
                lanes => (self.x.channels - block * lanes).min(lanes),
            },
        }
    }

    /// Copies `images` images from image `first` on into the maps: the range of `part` of them.
    ///
    /// # Safety
    ///
    /// `memory` has `self.end` elements, and `from` points to the input and the output gradient of at
    /// least `first + images` images. `images` is at most the micro-batch, and no other thread uses
    /// the maps otherwise.
    unsafe fn import(
        &self,
        part: TeamPart,
        memory: Shared,
        images: usize,
        from: [*const f32; 2],
        first: usize,
    ) {
        for (map, from) in [self.x, self.gradient].into_iter().zip(from) {
            // SAFETY: the memory holds the map and the array holds the images, as the caller
            // guarantees. An import uses no scratch memory, and threads write disjoint ranges.
            unsafe {
                let context = Context {
                    kernels: self.kernels,
                    arena: memory.at(0),
                    weights: &[],
                    input: from.add(first * map.values()),
                    outputs: &[],
                    scratch: std::ptr::null_mut(),
                    images,
                    first: 0,
                    thread: part.part,
                    threads: part.parts,
                    stealable: None,
                };
                Import { y: map }.run(&context);
            }
        }
    }

    /// Adds the products of the images in the maps to the sums of `part`.
    ///
    /// # Safety
    ///
    /// `memory` has `self.end` elements, the maps hold `images` images, and no other thread writes
    /// the maps or the sums of this part.
    unsafe fn sum(&self, part: TeamPart, memory: Shared, images: usize) {
        if self.spec.is_depthwise() {
            // SAFETY: as for this function.
            return unsafe { self.sum_depthwise(part, memory, images) };
        }
        let Self {
            spec, x, gradient, ..
        } = self;
        let tiles_per_block = self.tiles_per_block();
        let tiles = part.static_range(gradient.blocks() * tiles_per_block);
        for block in tiles.start / tiles_per_block..tiles.end.div_ceil(tiles_per_block) {
            let first = block * tiles_per_block;
            let tiles = tiles.start.max(first) - first..(tiles.end - first).min(tiles_per_block);
            let left = gradient.channels - block * gradient.lanes;
            let vectors = if left > self.kernels.lanes { 2 } else { 1 };
            for chunk in self.chunks(images) {
                for tile_index in tiles.clone() {
                    let tile = self.tile(tile_index);
                    let x_row =
                        chunk.first_row * spec.stride[0] + tile.kernel_row * spec.dilation[0];
                    let x_offset = x.offset
                        + chunk.first_image * x.image
                        + tile.block * x.block
                        + x_row * x.row
                        + tile.kernel_column * spec.dilation[1] * x.lanes;
                    // SAFETY: the maps hold the images and rows of the chunk, with the border that
                    // the taps read. Only this thread writes the sums of the tile.
                    unsafe {
                        (self.kernels.weight_grad_tiles.get(vectors, tile.rows))(&WeightGradArgs {
                            x: memory.at(x_offset),
                            x_image: x.image,
                            x_row: spec.stride[0] * x.row,
                            x_pixel: spec.stride[1] * x.lanes,
                            gradient: memory.at(gradient.at(
                                chunk.first_image,
                                block,
                                chunk.first_row,
                                0,
                            )),
                            gradient_image: gradient.image,
                            gradient_row: gradient.row,
                            images: chunk.images,
                            rows: chunk.rows,
                            columns: gradient.width,
                            sums: memory.at(self.sums_offset(block, tile_index)),
                        });
                    }
                }
            }
        }
    }

    /// [`sum`](Self::sum) of a depthwise convolution.
    ///
    /// # Safety
    ///
    /// As [`sum`](Self::sum).
    unsafe fn sum_depthwise(&self, part: TeamPart, memory: Shared, images: usize) {
        let Self {
            spec, x, gradient, ..
        } = self;
        let taps = spec.kernel[0] * spec.kernel[1];
        for block in part.static_range(x.blocks()) {
            let kernel = is_three_by_three(spec.kernel);
            let kernel = self.kernels.depthwise_weight_grad[usize::from(kernel)];
            // SAFETY: the maps hold `images` images of the block, with the border that the taps
            // read. Only this thread writes the sums of the block.
            unsafe {
                kernel(&DepthwiseWeightGradArgs {
                    x: memory.at(x.offset + block * x.block),
                    x_image: x.image,
                    x_row: spec.stride[0] * x.row,
                    x_pixel: spec.stride[1] * x.lanes,
                    x_tap: [spec.dilation[0] * x.row, spec.dilation[1] * x.lanes],
                    kernel: spec.kernel,
                    gradient: memory.at(gradient.at(0, block, 0, 0)),
                    gradient_image: gradient.image,
                    gradient_row: gradient.row,
                    images,
                    rows: gradient.height,
                    columns: gradient.width,
                    sums: memory.at(self.sums + block * taps * x.lanes),
                });
            }
        }
    }

    /// Partition of the output pixels of `images` images into chunks of about
    /// [`PIXELS_PER_CHUNK`]: several images, or several rows of one image.
    fn chunks(&self, images: usize) -> impl Iterator<Item = PixelChunk> + use<> {
        let [height, width] = [self.gradient.height, self.gradient.width];
        let images_per_chunk = (PIXELS_PER_CHUNK / (height * width)).max(1);
        let rows_per_chunk = (PIXELS_PER_CHUNK / width).clamp(1, height);
        (0..images)
            .step_by(images_per_chunk)
            .flat_map(move |first_image| {
                (0..height)
                    .step_by(rows_per_chunk)
                    .map(move |first_row| PixelChunk {
                        first_image,
                        images: images_per_chunk.min(images - first_image),
                        first_row,
                        rows: rows_per_chunk.min(height - first_row),
                    })
            })
    }

    /// Offset in the memory of the sums of tile `tile` of a block of output channels.
    fn sums_offset(&self, block: usize, tile: usize) -> usize {
        let tile_len = self.kernels.blocking.mr * self.gradient.lanes;
        self.sums + (block * self.tiles_per_block() + tile) * tile_len
    }

    /// Copies the range of `part` of the sums to the weight `to`, `[out, in / groups, height, width]`.
    ///
    /// # Safety
    ///
    /// `memory` has `self.end` elements and `to` as many as the weight. No thread writes the sums, and
    /// no other thread writes the range of `part` of the weight.
    unsafe fn unpack(&self, part: TeamPart, memory: Shared, to: Shared) {
        let Self {
            spec, x, gradient, ..
        } = self;
        let taps = spec.kernel[0] * spec.kernel[1];
        if spec.is_depthwise() {
            for channel in part.static_range(spec.channels_out) {
                let (block, lane) = (channel / gradient.lanes, channel % gradient.lanes);
                for tap in 0..taps {
                    let from = self.sums + (block * taps + tap) * gradient.lanes + lane;
                    // SAFETY: the offsets lie within the sums and the weight, and only this thread
                    // writes this channel.
                    unsafe { *to.at(channel * taps + tap) = *memory.at(from) };
                }
            }
            return;
        }
        let tiles_per_input_block = self.tiles_per_block() / x.blocks();
        let tile_len = self.kernels.blocking.mr * gradient.lanes;
        for pair in part.static_range(gradient.blocks() * x.blocks()) {
            let (out_block, in_block) = (pair / x.blocks(), pair % x.blocks());
            let first_channel = in_block * x.lanes;
            let first_tile = in_block * tiles_per_input_block;
            let sums = self.sums_offset(out_block, first_tile);
            let left = gradient.channels - out_block * gradient.lanes;
            for lane in 0..left.min(gradient.lanes) {
                let out = out_block * gradient.lanes + lane;
                let mut to_offset = (out * spec.channels_in + first_channel) * taps;
                // Appends the sum of a row of a tile to the weight.
                let mut append = |tile: usize, row: usize| {
                    let from = sums + tile * tile_len + row * gradient.lanes + lane;
                    // SAFETY: the offsets lie within the sums and the weight, and only this thread
                    // writes this pair of blocks.
                    unsafe { *to.at(to_offset) = *memory.at(from) };
                    to_offset += 1;
                };
                if x.lanes == 1 {
                    for tile in 0..tiles_per_input_block {
                        let rows = self.tile(first_tile + tile).rows;
                        (0..rows).for_each(|tap| append(tile, tap));
                    }
                } else {
                    for channel in 0..(x.channels - first_channel).min(x.lanes) {
                        (0..taps).for_each(|tap| append(tap, channel));
                    }
                }
            }
        }
    }
}

/// Weights of a tile, for a block of output channels: those of one tap and several input channels,
/// or, for a planar input, of one input channel and several taps of a row of the kernel.
struct Tile {
    /// Block of input channels.
    block: usize,
    /// Row of the kernel.
    kernel_row: usize,
    /// First column of the kernel.
    kernel_column: usize,
    /// Number of input channels, or of taps.
    rows: usize,
}

/// Output pixels over which the tiles are summed at a time.
struct PixelChunk {
    first_image: usize,
    images: usize,
    first_row: usize,
    rows: usize,
}
