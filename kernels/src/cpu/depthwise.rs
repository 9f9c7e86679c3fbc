//! Depthwise convolution: each channel with a kernel of its own, any size, stride and dilation.
//!
//! A block's bias and taps are vectors, one lane for each channel. Those of a 3x3 kernel stay in
//! registers while a block's rows go by.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::accesses::AccessSet;
use super::activation::Activation;
use super::check::{CheckError, Memory, ensure};
use super::context::{Context, Parts};
use super::conv::ConvSpec;
use super::map::Map;
use super::output::Output;
use super::prefetch::bring;
use super::simd::{Kernel, Simd};

/// A depthwise convolution that knows where everything lies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Depthwise {
    spec: ConvSpec,
    x: Map,
    output: Output,
    /// The element of the packed weights where this layer's begin.
    weights: usize,
}

impl Depthwise {
    /// The convolution `spec` of `x`, with its weights packed from element `weights` on. `x` has at
    /// least the border that `spec` pads by. All maps are in blocks of a vector's lanes.
    pub fn new(spec: ConvSpec, x: Map, output: Output, weights: usize) -> Self {
        Self {
            spec,
            x,
            output,
            weights,
        }
    }

    /// Elements of the packed weights of `spec` for maps in blocks of `lanes` channels.
    pub fn packed_len(spec: &ConvSpec, lanes: usize) -> usize {
        spec.channels_out.div_ceil(lanes) * block_len(spec, lanes)
    }

    /// Packs `weights`, `[channels, 1, height, width]`, and `bias`, as `[block, bias and taps,
    /// lane]`.
    pub fn pack(&self, weights: &[f32], bias: Option<&[f32]>, packed: &mut [f32]) {
        let lanes = self.output.y.lanes;
        let taps = self.spec.kernel[0] * self.spec.kernel[1];
        let packed = &mut packed[self.weights..][..Self::packed_len(&self.spec, lanes)];
        for (block, packed) in packed.chunks_exact_mut((1 + taps) * lanes).enumerate() {
            for lane in 0..lanes {
                let channel = block * lanes + lane;
                packed[lane] = bias
                    .and_then(|bias| bias.get(channel))
                    .copied()
                    .unwrap_or(0.0);
                for tap in 0..taps {
                    let weight = weights.get(channel * taps + tap);
                    packed[(1 + tap) * lanes + lane] = weight.copied().unwrap_or(0.0);
                }
            }
        }
    }

    /// What it reads and writes.
    pub(crate) fn accesses(&self) -> AccessSet {
        AccessSet::layer(&self.x, &self.output)
    }

    /// Whether it stays within `memory`.
    pub(crate) fn check(&self, memory: &Memory) -> Result<(), CheckError> {
        let Self {
            spec, x, output, ..
        } = self;
        memory.map(x)?;
        memory.output(output, x)?;
        spec.check(x, &output.y)?;
        self.check_weights(memory)
    }

    /// Whether it is depthwise, and its weights lie within `memory`.
    pub(super) fn check_weights(&self, memory: &Memory) -> Result<(), CheckError> {
        let Self { spec, weights, .. } = self;
        ensure(
            [spec.channels_in, spec.channels_out] == [spec.groups; 2],
            "not depthwise",
        )?;
        let taps = spec.kernel[0].checked_mul(spec.kernel[1]);
        let one = ConvSpec {
            channels_in: 1,
            ..*spec
        };
        let len = taps.and_then(|taps| one.most_packed(memory.lanes, taps));
        memory.weights(*weights, len)
    }

    /// This thread's part.
    ///
    /// # Safety
    ///
    /// The maps are within the arena, the packed weights within the weights.
    pub(crate) unsafe fn run(&self, cx: &Context) {
        let Output { y, residual, .. } = &cx.output(&self.output);
        unsafe { cx.zero_border(y) };
        for (image, block, rows) in cx.share_rows(y) {
            let at = |map: &Map| unsafe { cx.at(map.at(image, block, rows.start, 0)) };
            let to = (at(y), y.row);
            let residual = residual.map_or((std::ptr::null(), 0), |map| {
                (at(&map).cast_const(), map.row)
            });
            unsafe { self.rows(cx, [image, block], rows, to, residual) };
        }
    }

    /// Computes rows of a block to an address, after which they are so many elements apart; adds a
    /// residual that lies in the same way, unless it is null.
    ///
    /// # Safety
    ///
    /// As [`run`](Self::run); `to` and `residual` are addresses of as many rows.
    pub(super) unsafe fn rows(
        &self,
        cx: &Context,
        [image, block]: [usize; 2],
        rows: Range<usize>,
        to: (*mut f32, usize),
        residual: (*const f32, usize),
    ) {
        let Self {
            spec, x, output, ..
        } = self;
        let x = &cx.here(x);
        let weights = &cx.weights[self.weights + block * block_len(spec, x.lanes)..];
        unsafe {
            (cx.kernels.depthwise.get(spec))(&DepthwiseArgs {
                x: cx.at(first_tap(spec, x, image, block, rows.start)),
                x_row: spec.stride[0] * x.row,
                x_pixel: spec.stride[1] * x.lanes,
                kernel: spec.kernel,
                x_tap: [spec.dilation[0] * x.row, spec.dilation[1] * x.lanes],
                x_block: x.block,
                weights: weights.as_ptr(),
                y: to.0,
                y_row: to.1,
                rows: rows.len(),
                width: output.y.width,
                residual: residual.0,
                residual_row: residual.1,
                activation: output.activation,
            });
        }
    }

    /// What it computes, from where, what is applied to it, and where its weights begin.
    pub(super) fn parts(&self) -> (&ConvSpec, &Map, Activation, usize) {
        (&self.spec, &self.x, self.output.activation, self.weights)
    }

    /// Multiply-adds for an output element.
    pub(super) fn taps(&self) -> usize {
        self.spec.kernel[0] * self.spec.kernel[1]
    }
}

/// Elements of the packed weights of one block.
fn block_len(spec: &ConvSpec, lanes: usize) -> usize {
    (1 + spec.kernel[0] * spec.kernel[1]) * lanes
}

/// The element of the arena where the first window of an output row begins.
fn first_tap(spec: &ConvSpec, x: &Map, image: usize, block: usize, row: usize) -> usize {
    let padding = spec.padding.top * x.row + spec.padding.left * x.lanes;
    x.at(image, block, row * spec.stride[0], 0) - padding
}

/// Some rows of one block: what is read and written. Strides are in elements; the pixels of a row
/// of `y` and of the residual are adjacent.
#[derive(Debug, Clone, Copy)]
pub(super) struct DepthwiseArgs {
    /// The first pixel's first tap.
    pub x: *const f32,
    /// From one output row's, and one output pixel's, taps to the next.
    pub x_row: usize,
    pub x_pixel: usize,
    /// Rows and columns of taps, and from one to the next.
    pub kernel: [usize; 2],
    pub x_tap: [usize; 2],
    /// To the next block's taps, which kernels of 3x3 bring nearer meanwhile.
    pub x_block: usize,
    /// The bias, then the taps: vectors.
    pub weights: *const f32,
    /// The first pixel.
    pub y: *mut f32,
    pub y_row: usize,
    /// Output rows, and pixels of each.
    pub rows: usize,
    pub width: usize,
    /// Added before the activation, or null.
    pub residual: *const f32,
    pub residual_row: usize,
    pub activation: Activation,
}

/// Runs a block with a constant for its number of pixels, at most 8.
macro_rules! with_pixels {
    ($pixels:expr, |$p:ident| $call:expr) => {
        with_pixels!(@ $pixels, $p, $call, 1 2 3 4 5 6 7 8)
    };
    (@ $pixels:expr, $p:ident, $call:expr, $($n:literal)*) => {
        match $pixels {
            $($n => { const $p: usize = $n; $call })*
            _ => {}
        }
    };
}

/// A kernel of 3x3, whose taps stay in registers, moved by `STRIDE` pixels.
///
/// # Safety
///
/// All that [`DepthwiseArgs`] describes must be readable, and `y` writable.
struct Three<const STRIDE: usize>;

impl<const STRIDE: usize> Kernel for Three<STRIDE> {
    type Args = DepthwiseArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(a: &DepthwiseArgs) {
        unsafe {
            let bias = S::load(a.weights);
            let mut taps = [S::zero(); 9];
            for (i, tap) in taps.iter_mut().enumerate() {
                *tap = S::load(a.weights.add((1 + i) * S::LANES));
            }
            // Taps that find no register beside the sums are read from the cache.
            let most = S::TILE.min(8);
            let tiles = a.width.div_ceil(most);
            let kinds = Parts::new(a.width, tiles).kinds(tiles);
            for row in 0..a.rows {
                let x = a.x.add(row * a.x_row);
                for (first, pixels, tiles) in kinds {
                    with_pixels!(pixels, |P| {
                        for first in (0..tiles).map(|tile| first + tile * P) {
                            let x = x.add(first * STRIDE * S::LANES);
                            // The rows before are those of the output row before.
                            let seen = if row == 0 { 0 } else { 3 - STRIDE };
                            let next = x.wrapping_add(a.x_block + seen * a.x_tap[0]);
                            bring::<S>(next, a.x_tap[0], [3 - seen, P * STRIDE]);
                            let mut sums = [bias; P];
                            for i in 0..3 {
                                let x = x.add(i * a.x_tap[0]);
                                for j in 0..3 {
                                    let tap = taps[3 * i + j];
                                    for (p, sum) in sums.iter_mut().enumerate() {
                                        let x = S::load(x.add((p * STRIDE + j) * S::LANES));
                                        *sum = S::mul_add(x, tap, *sum);
                                    }
                                }
                            }
                            store::<S, P>(a, row, first, sums);
                        }
                    });
                }
            }
        }
    }
}

/// Any kernel, moved by `STRIDE` pixels, or by any number of them if it is 0.
///
/// # Safety
///
/// As [`Three`].
struct Any<const STRIDE: usize>;

impl<const STRIDE: usize> Kernel for Any<STRIDE> {
    type Args = DepthwiseArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(a: &DepthwiseArgs) {
        let x_pixel = match STRIDE {
            0 => a.x_pixel,
            _ => STRIDE * S::LANES,
        };
        unsafe {
            let bias = S::load(a.weights);
            let tiles = a.width.div_ceil(8);
            let kinds = Parts::new(a.width, tiles).kinds(tiles);
            for row in 0..a.rows {
                let x = a.x.add(row * a.x_row);
                for (first, pixels, tiles) in kinds {
                    with_pixels!(pixels, |P| {
                        for first in (0..tiles).map(|tile| first + tile * P) {
                            let x = x.add(first * x_pixel);
                            let mut sums = [bias; P];
                            let mut weights = a.weights;
                            for i in 0..a.kernel[0] {
                                let mut x = x.add(i * a.x_tap[0]);
                                for _ in 0..a.kernel[1] {
                                    weights = weights.add(S::LANES);
                                    let tap = S::load(weights);
                                    for (p, sum) in sums.iter_mut().enumerate() {
                                        *sum = S::mul_add(S::load(x.add(p * x_pixel)), tap, *sum);
                                    }
                                    x = x.wrapping_add(a.x_tap[1]);
                                }
                            }
                            store::<S, P>(a, row, first, sums);
                        }
                    });
                }
            }
        }
    }
}

/// The pixels of a row from `first` on.
#[inline(always)]
unsafe fn store<S: Simd, const P: usize>(
    a: &DepthwiseArgs,
    row: usize,
    first: usize,
    mut sums: [S::Vector; P],
) {
    unsafe {
        if !a.residual.is_null() {
            let residual = a.residual.add(row * a.residual_row + first * S::LANES);
            for (p, sum) in sums.iter_mut().enumerate() {
                *sum = S::add(*sum, S::load(residual.add(p * S::LANES)));
            }
        }
        a.activation
            .apply_all::<S, P, 1>(std::array::from_mut(&mut sums));
        let y = a.y.add(row * a.y_row + first * S::LANES);
        for (p, sum) in sums.into_iter().enumerate() {
            S::store(y.add(p * S::LANES), sum);
        }
    }
}

/// The address of a kernel's code.
pub(super) type DepthwiseFn = unsafe fn(&DepthwiseArgs);

/// The depthwise kernels of an instruction set, by the stride.
pub(super) struct DepthwiseFns {
    three: [DepthwiseFn; 2],
    any: [DepthwiseFn; 3],
}

impl DepthwiseFns {
    pub fn of<S: Simd>() -> Self {
        Self {
            three: [S::entry::<Three<1>>(), S::entry::<Three<2>>()],
            any: [
                S::entry::<Any<0>>(),
                S::entry::<Any<1>>(),
                S::entry::<Any<2>>(),
            ],
        }
    }

    /// The fastest that computes `spec`.
    pub fn get(&self, spec: &ConvSpec) -> DepthwiseFn {
        match (spec.kernel, spec.dilation[1], spec.stride[1]) {
            ([3, 3], 1, stride @ 1..=2) => self.three[stride - 1],
            (_, _, stride @ 1..=2) => self.any[stride],
            _ => self.any[0],
        }
    }
}
