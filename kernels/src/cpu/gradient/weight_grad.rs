//! The gradient of a convolution's weight: for each output channel, input channel and tap the sum over all
//! images and output pixels of the gradient there times the input that the tap saw.
//!
//! The input lies in blocks of as many channels as a tile of [products](crate::cpu::micro::gradient::WeightGradTiles) has, or, where it has
//! fewer channels than the kernel has columns, in planes: there the taps of a kernel's row are side by side and
//! take the channels' place. The output's gradient lies in blocks of two vectors. A thread has its own pairs of blocks, so that nothing is summed
//! across threads; it goes over some hundred pixels at a time, which stay in the nearest cache for all
//! taps.

use crate::cpu::layout::{Border, Buffer, Context, ConvSpec, Map};
use crate::cpu::micro::gradient::{DepthwiseWeightGradArgs, WeightGradArgs, is_three_by_three};
use crate::cpu::micro::kernels::Kernels;
use crate::cpu::micro::simd::Isa;
use crate::cpu::steps::{Import, Operation};
use crate::threads::partition::partition_range;
use crate::threads::{Shared, TeamThread, run_team};

/// Pixels that are summed before the next pair of blocks takes its turn.
const PIXELS: usize = 192;

/// Elements of the maps that are imported together, about: what a cache holds.
const MAPS: usize = 2 << 20;

/// The gradient of the weight, `[out, in / groups, height, width]`, of the convolution `spec`, which is
/// depthwise or has one group: `x` is its input, of `size`, and `gradient` that of its output. `memory`
/// grows to what is needed.
pub(crate) fn weight_gradient(
    isa: Isa,
    threads: usize,
    spec: &ConvSpec,
    size: [usize; 2],
    [x, gradient]: [&[f32]; 2],
    memory: &mut Buffer,
) -> Vec<f32> {
    let kernels = Kernels::get(isa);
    let plan = Plan::new(kernels, spec, size, x.len(), gradient.len());
    if memory.len() < plan.end {
        *memory = Buffer::zeroed(plan.end);
    }
    memory[plan.sums..plan.end].fill(0.0);
    let memory = Shared::new(memory);
    let mut weights = Vec::with_capacity(spec.weights());
    let to = Shared::uninit(weights.spare_capacity_mut());
    run_team(threads, &|team| {
        for first in (0..plan.images).step_by(plan.micro_batch) {
            let images = plan.micro_batch.min(plan.images - first);
            // SAFETY: the maps lie in the memory, whole images in the arrays; each thread writes
            // its
            // share of the maps and, after all have, its own sums.
            unsafe {
                plan.import(
                    team,
                    memory,
                    images,
                    [x, gradient].map(<[f32]>::as_ptr),
                    first,
                );
                team.wait();
                plan.sum(team, memory, images);
                team.wait();
            }
        }
        // SAFETY: the sums are complete, and each thread writes its own output channels.
        unsafe { plan.unpack(team, memory, to) };
    });
    // SAFETY: the threads together wrote all output channels.
    unsafe { weights.set_len(spec.weights()) };
    weights
}

/// The sum of the gradient of each channel, whose planes have `area` values: that of a bias.
pub(crate) fn bias_gradient(
    threads: usize,
    channels: usize,
    area: usize,
    gradient: &[f32],
) -> Vec<f32> {
    let mut sums = vec![0.0; channels];
    let to = Shared::new(&mut sums);
    run_team(threads, &|team| {
        for channel in team.static_range(channels) {
            let images = gradient.chunks_exact(channels * area);
            let planes = images.map(|image| &image[channel * area..][..area]);
            let sum: f64 = planes.map(|plane| f64::from(sum_of(plane))).sum();
            // SAFETY: the channel is this thread's.
            unsafe { *to.at(channel) = sum as f32 };
        }
    });
    sums
}

/// The sum in sixteen parts, so that rounding stays small and the parts are a vector.
fn sum_of(values: &[f32]) -> f32 {
    let mut parts = [0.0; 16];
    let chunks = values.chunks_exact(16);
    let rest: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for (part, value) in parts.iter_mut().zip(chunk) {
            *part += value;
        }
    }
    parts.iter().sum::<f32>() + rest
}

/// Where everything lies.
struct Plan {
    kernels: &'static Kernels,
    spec: ConvSpec,
    images: usize,
    /// Images whose maps are there at once.
    micro_batch: usize,
    x: Map,
    gradient: Map,
    /// Where the sums begin and end.
    sums: usize,
    end: usize,
}

impl Plan {
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
            "arrays of other lengths than the convolution's"
        );
        assert!(
            spec.groups == 1 || spec.is_depthwise(),
            "groups of channels"
        );
        let tile = kernels.blocking.mr;
        let planar = spec.channels_in < spec.kernel[1].min(tile) && spec.dilation[1] == 1;
        let [x_lanes, lanes] = match spec.is_depthwise() {
            true => [kernels.lanes; 2],
            false if planar => [1, 2 * kernels.lanes],
            false => [tile, 2 * kernels.lanes],
        };
        let shape = [spec.channels_in, size[0], size[1]];
        let x = Map::new(shape, spec.padding, x_lanes, 0);
        let shape = [spec.channels_out, output[0], output[1]];
        let gradient = Map::new(shape, Border::default(), lanes, 0);
        let micro_batch = (MAPS / (x.image + gradient.image)).clamp(1, images.max(1));
        let x = x.with_slots(micro_batch);
        let gradient = Map {
            offset: x.elements().next_multiple_of(LINE),
            ..gradient.with_slots(micro_batch)
        };
        let sums = gradient.end().next_multiple_of(LINE);
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
            false => gradient.blocks() * plan.tiles() * tile * gradient.lanes,
        };
        plan
    }

    /// Partition of a kernel's row whose taps are together in a tile, of an input in planes; otherwise its taps.
    fn parts(&self) -> usize {
        match self.x.lanes {
            1 => self.spec.kernel[1].div_ceil(self.kernels.blocking.mr),
            _ => self.spec.kernel[1],
        }
    }

    /// Tiles of each block of output channels.
    fn tiles(&self) -> usize {
        self.x.blocks() * self.spec.kernel[0] * self.parts()
    }

    /// What is in a tile.
    fn tile(&self, tile: usize) -> Tile {
        let parts = self.parts();
        let block = tile / parts / self.spec.kernel[0];
        let down = tile / parts % self.spec.kernel[0];
        let columns = partition_range(self.spec.kernel[1], parts, tile % parts);
        match self.x.lanes {
            1 => Tile {
                block,
                down,
                across: columns.start,
                rows: columns.len(),
            },
            lanes => Tile {
                block,
                down,
                across: columns.start,
                rows: (self.x.channels - block * lanes).min(lanes),
            },
        }
    }

    /// Copies images into the maps.
    unsafe fn import(
        &self,
        team: &TeamThread,
        memory: Shared,
        images: usize,
        from: [*const f32; 2],
        first: usize,
    ) {
        for (map, from) in [self.x, self.gradient].into_iter().zip(from) {
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
                    thread: team.thread,
                    threads: team.threads,
                    stealable: None,
                };
                Import { y: map }.run(&context);
            }
        }
    }

    /// Adds the products of the images that are there to this thread's sums.
    unsafe fn sum(&self, team: &TeamThread, memory: Shared, images: usize) {
        if self.spec.is_depthwise() {
            return unsafe { self.sum_depthwise(team, memory, images) };
        }
        let Self {
            spec, x, gradient, ..
        } = self;
        let each = self.tiles();
        let units = team.static_range(gradient.blocks() * each);
        for pair in units.start / each..units.end.div_ceil(each) {
            let before = pair * each;
            let here = units.start.max(before) - before..(units.end - before).min(each);
            let left = gradient.channels - pair * gradient.lanes;
            let vectors = if left > self.kernels.lanes { 2 } else { 1 };
            for [image, count, row, rows] in self.chunks(images) {
                for unit in here.clone() {
                    let tile = self.tile(unit);
                    let down = row * spec.stride[0] + tile.down * spec.dilation[0];
                    let from = x.offset
                        + image * x.image
                        + tile.block * x.block
                        + down * x.row
                        + tile.across * spec.dilation[1] * x.lanes;
                    // SAFETY: the maps hold these images, the sums are this thread's.
                    unsafe {
                        (self.kernels.weight_grad_tiles.get(vectors, tile.rows))(&WeightGradArgs {
                            x: memory.at(from),
                            x_image: x.image,
                            x_row: spec.stride[0] * x.row,
                            x_pixel: spec.stride[1] * x.lanes,
                            gradient: memory.at(gradient.at(image, pair, row, 0)),
                            gradient_image: gradient.image,
                            gradient_row: gradient.row,
                            images: count,
                            rows,
                            columns: gradient.width,
                            sums: memory.at(self.sums_of(pair, unit)),
                        });
                    }
                }
            }
        }
    }

    unsafe fn sum_depthwise(&self, team: &TeamThread, memory: Shared, images: usize) {
        let Self {
            spec, x, gradient, ..
        } = self;
        let taps = spec.kernel[0] * spec.kernel[1];
        for block in team.static_range(x.blocks()) {
            let args = DepthwiseWeightGradArgs {
                x: unsafe { memory.at(x.offset + block * x.block) },
                x_image: x.image,
                x_row: spec.stride[0] * x.row,
                x_pixel: spec.stride[1] * x.lanes,
                x_tap: [spec.dilation[0] * x.row, spec.dilation[1] * x.lanes],
                kernel: spec.kernel,
                gradient: unsafe { memory.at(gradient.at(0, block, 0, 0)) },
                gradient_image: gradient.image,
                gradient_row: gradient.row,
                images,
                rows: gradient.height,
                columns: gradient.width,
                sums: unsafe { memory.at(self.sums + block * taps * x.lanes) },
            };
            unsafe {
                (self.kernels.depthwise_weight_grad[usize::from(is_three_by_three(spec.kernel))])(
                    &args,
                )
            };
        }
    }

    /// `images` in chunks of some pixels: the first image, how many, the first row, how many.
    fn chunks(&self, images: usize) -> impl Iterator<Item = [usize; 4]> + use<> {
        let [height, width] = [self.gradient.height, self.gradient.width];
        let micro_batch = (PIXELS / (height * width)).max(1);
        let rows = (PIXELS / width).clamp(1, height);
        (0..images).step_by(micro_batch).flat_map(move |image| {
            let count = micro_batch.min(images - image);
            (0..height)
                .step_by(rows)
                .map(move |row| [image, count, row, rows.min(height - row)])
        })
    }

    /// Where the sums of a tile of a pair of output blocks begin.
    fn sums_of(&self, pair: usize, tile: usize) -> usize {
        let size = self.kernels.blocking.mr * self.gradient.lanes;
        self.sums + (pair * self.tiles() + tile) * size
    }

    /// Copies this thread's share of the sums to `to`.
    unsafe fn unpack(&self, team: &TeamThread, memory: Shared, to: Shared) {
        let Self {
            spec, x, gradient, ..
        } = self;
        let taps = spec.kernel[0] * spec.kernel[1];
        if spec.is_depthwise() {
            for channel in team.static_range(spec.channels_out) {
                let (block, lane) = (channel / gradient.lanes, channel % gradient.lanes);
                for tap in 0..taps {
                    let from = self.sums + (block * taps + tap) * gradient.lanes + lane;
                    unsafe { *to.at(channel * taps + tap) = *memory.at(from) };
                }
            }
            return;
        }
        let each = self.tiles() / x.blocks();
        let size = self.kernels.blocking.mr * gradient.lanes;
        for unit in team.static_range(gradient.blocks() * x.blocks()) {
            let (pair, block) = (unit / x.blocks(), unit % x.blocks());
            let first = block * x.lanes;
            let tiles = block * each..(block + 1) * each;
            let from = self.sums_of(pair, tiles.start);
            for lane in 0..(gradient.channels - pair * gradient.lanes).min(gradient.lanes) {
                let out = pair * gradient.lanes + lane;
                let mut place = (out * spec.channels_in + first) * taps;
                let mut put = |tile: usize, row: usize| {
                    let from = from + tile * size + row * gradient.lanes + lane;
                    unsafe { *to.at(place) = *memory.at(from) };
                    place += 1;
                };
                if x.lanes == 1 {
                    for (at, tile) in tiles.clone().enumerate() {
                        (0..self.tile(tile).rows).for_each(|tap| put(at, tap));
                    }
                } else {
                    for channel in 0..(x.channels - first).min(x.lanes) {
                        (0..taps).for_each(|tap| put(tap, channel));
                    }
                }
            }
        }
    }
}

/// Weights of some output channels that are summed together: of one tap and some input channels, or of one input
/// channel and some taps of a kernel's row.
struct Tile {
    /// The block of input channels.
    block: usize,
    /// The kernel's row, and its first column.
    down: usize,
    across: usize,
    /// How many input channels, or taps.
    rows: usize,
}

/// Elements of a cache line.
const LINE: usize = 16;
