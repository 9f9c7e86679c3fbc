//! The register tile: sums of products of `P` output pixels with `B` blocks of output channels, all
//! in registers. Every convolution and fully connected layer is computed by tiles.
//!
//! For every input element that a window reads, the element of each pixel is broadcast and
//! multiplied with the `B` weight vectors of that tap. Packed weights are streamed in the order in
//! which tiles read them, with the weights of one or two blocks side by side. A single pixel is
//! multiplied with up to four pairs of blocks at once, since two accumulators do not hide the FMA
//! latency and eight do.
//!
//! Taps are data: a list of positions with `inner` contiguous taps each. In a blocked map these are
//! the channels of a block, in a planar map the taps of a kernel row. The pixels of a fully
//! connected layer are images.

use super::activation::Activation;
use super::prefetch::Prefetch;
use super::simd::{MicroKernel, Simd};

/// Memory of a run of tiles. Strides are in elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TileArgs {
    /// First tap of the first pixel.
    pub x: *const f32,
    /// Stride from one pixel to the next.
    pub x_pixel: usize,
    /// Offsets of the positions from `x`.
    pub offsets: *const u32,
    /// Number of positions, and contiguous taps of each.
    pub positions: usize,
    pub inner: usize,
    /// Number of positions, and contiguous taps of each, in the last block if it has fewer
    /// channels; else 0.
    pub last_positions: usize,
    pub last_inner: usize,
    /// `B` vectors for every tap of every position, or two where `B` is larger.
    pub weights: *const f32,
    /// Stride from the weights and the bias of one pair of blocks to the next pair.
    pub weights_pair: usize,
    /// Prefetches issued during the arithmetic.
    pub prefetch: Prefetch,
    /// Number of tiles, each `P` pixels after the previous tile.
    pub tiles: usize,
    /// Bias, `B` vectors in pairs as the weights, or null.
    pub bias: *const f32,
    /// Whether accumulators start from `y` instead of the bias.
    pub accumulate: bool,
    /// First pixel of the first output block.
    pub y: *mut f32,
    pub y_pixel: usize,
    pub y_block: usize,
    /// Whether the halves of a vector hold the outputs of two pixels.
    pub pixel_pairs: bool,
    /// Added before the activation, or null.
    pub residual: *const f32,
    pub residual_pixel: usize,
    pub residual_block: usize,
    pub activation: Activation,
}

impl TileArgs {
    /// Arguments of a tile over `positions` positions of `inner` contiguous taps each, then
    /// `last_positions` of `last_inner`, without addresses.
    #[inline]
    pub fn new(
        offsets: *const u32,
        [positions, inner]: [usize; 2],
        [last_positions, last_inner]: [usize; 2],
    ) -> Self {
        Self {
            x: std::ptr::null(),
            x_pixel: inner,
            offsets,
            positions,
            inner,
            last_positions,
            last_inner,
            weights: std::ptr::null(),
            weights_pair: 0,
            bias: std::ptr::null(),
            prefetch: Prefetch::NOTHING,
            tiles: 1,
            accumulate: false,
            y: std::ptr::null_mut(),
            y_pixel: 0,
            y_block: 0,
            pixel_pairs: false,
            residual: std::ptr::null(),
            residual_pixel: 0,
            residual_block: 0,
            activation: Activation::Identity,
        }
    }
}

/// Tiles of `P` pixels by `B` blocks.
///
/// # Safety
///
/// All memory that [`TileArgs`] describes is readable, and the memory of `y` is writable.
pub(crate) struct Tile<const B: usize, const P: usize>;

impl<const B: usize, const P: usize> MicroKernel for Tile<B, P> {
    type Args = TileArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &TileArgs) {
        let mut prefetch = a.prefetch;
        for tile in 0..a.tiles {
            prefetch.before(tile);
            let first = tile * P;
            let x = a.x.wrapping_add(first * a.x_pixel);
            let y = a.y.wrapping_add(first * a.y_pixel);
            // SAFETY: the caller guarantees the memory that the arguments describe.
            unsafe {
                let mut sums = [[s.zero(); B]; P];
                if a.accumulate {
                    for (p, sums) in sums.iter_mut().enumerate() {
                        for (b, sum) in sums.iter_mut().enumerate() {
                            *sum = s.load(y.add(b * a.y_block + p * a.y_pixel));
                        }
                    }
                } else if !a.bias.is_null() {
                    for b in 0..B {
                        let bias = s.load(a.bias.add(vector::<S>(b, a.weights_pair)));
                        for sums in &mut sums {
                            sums[b] = bias;
                        }
                    }
                }
                if a.x_pixel == S::LANES {
                    taps::<S, B, P, true>(s, a, x, &mut prefetch, &mut sums);
                } else {
                    taps::<S, B, P, false>(s, a, x, &mut prefetch, &mut sums);
                }
                if !a.residual.is_null() {
                    let residual = a.residual.add(first * a.residual_pixel);
                    for (p, sums) in sums.iter_mut().enumerate() {
                        for (b, sum) in sums.iter_mut().enumerate() {
                            let at = b * a.residual_block + p * a.residual_pixel;
                            *sum = s.add(*sum, s.load(residual.add(at)));
                        }
                    }
                }
                a.activation.apply_all::<S, B, P>(s, &mut sums);
                for (p, sums) in sums.into_iter().enumerate() {
                    for (b, sum) in sums.into_iter().enumerate() {
                        s.store(y.add(b * a.y_block + p * a.y_pixel), sum);
                    }
                    if B == 1 && a.pixel_pairs {
                        // The other half holds the channels of the second pixel.
                        let second = y.add(p * a.y_pixel + S::LANES);
                        s.store(second, s.swap_halves(sums[0]));
                    }
                }
            }
        }
    }
}

/// Accumulates all taps of all pixels. `ADJACENT` pixels are one vector apart.
///
/// The loops are unrolled over the usual numbers of taps: where the second hardware thread of the
/// core is busy, as on most virtual machines, loop overhead and branches cost up to half of the
/// speed.
#[inline(always)]
unsafe fn taps<S: Simd, const B: usize, const P: usize, const ADJACENT: bool>(
    s: S,
    a: &TileArgs,
    x: *const f32,
    prefetch: &mut Prefetch,
    sums: &mut [[S::Vector; B]; P],
) {
    const { assert!(S::LANES.is_multiple_of(S::UNROLL)) }
    let x_pixel = if ADJACENT { S::LANES } else { a.x_pixel };
    let issue = |prefetch: &mut Prefetch| match B.div_ceil(2) {
        1 => prefetch.issue::<S, 1>(s, 0),
        2 => prefetch.issue::<S, 2>(s, a.weights_pair),
        3 => prefetch.issue::<S, 3>(s, a.weights_pair),
        _ => prefetch.issue::<S, PAIRS>(s, a.weights_pair),
    };
    // SAFETY: as the caller guarantees.
    unsafe {
        let mut w = a.weights;
        let mut offset = a.offsets;
        let mut rest = [(a.positions, a.inner), (a.last_positions, a.last_inner)];
        macro_rules! unrolled {
            ($taps:expr) => {{
                for _ in 0..a.positions {
                    let x = x.add(*offset as usize);
                    offset = offset.add(1);
                    for first in (0..$taps).step_by(S::UNROLL) {
                        issue(prefetch);
                        let taps = S::UNROLL.min($taps - first);
                        run::<S, B, P>(s, a, x.add(first), x_pixel, &mut w, taps, sums);
                    }
                }
                rest[0].0 = 0;
            }};
        }
        match a.inner {
            inner if inner == S::LANES => unrolled!(S::LANES),
            3 if !ADJACENT => unrolled!(3),
            5 if !ADJACENT => unrolled!(5),
            6 => unrolled!(6),
            7 if !ADJACENT => unrolled!(7),
            _ => {}
        }
        for (positions, inner) in rest {
            for _ in 0..positions {
                let mut x = x.add(*offset as usize);
                offset = offset.add(1);
                let mut left = inner;
                while left > 0 {
                    issue(prefetch);
                    let taps = left.min(S::UNROLL);
                    left -= taps;
                    for part in [8, 4, 2, 1] {
                        if taps & part != 0 {
                            run::<S, B, P>(s, a, x, x_pixel, &mut w, part, sums);
                            x = x.add(part);
                        }
                    }
                }
            }
        }
    }
}

/// Offset of the weight vector of block `b` from that of the first block.
#[inline(always)]
fn vector<S: Simd>(b: usize, pair: usize) -> usize {
    b / 2 * pair + b % 2 * S::LANES
}

/// `taps` contiguous taps, unrolled.
#[inline(always)]
unsafe fn run<S: Simd, const B: usize, const P: usize>(
    s: S,
    a: &TileArgs,
    x: *const f32,
    x_pixel: usize,
    w: &mut *const f32,
    taps: usize,
    sums: &mut [[S::Vector; B]; P],
) {
    // SAFETY: the caller guarantees the memory that the arguments describe.
    unsafe {
        let tap_weights = B.min(2) * S::LANES;
        for i in 0..taps {
            let w = (w.add(i * tap_weights), a.weights_pair);
            tap::<S, B, P>(s, x.add(i), x_pixel, w, sums);
        }
        *w = w.add(taps * tap_weights);
    }
}

/// One tap of every pixel, `x_pixel` elements apart, times its weights; `pair` is the stride from
/// one pair of blocks to the next.
#[inline(always)]
pub(crate) unsafe fn tap<S: Simd, const B: usize, const P: usize>(
    s: S,
    x: *const f32,
    x_pixel: usize,
    (w, pair): (*const f32, usize),
    sums: &mut [[S::Vector; B]; P],
) {
    // SAFETY: as the caller guarantees.
    unsafe {
        let mut weights = [s.zero(); B];
        for (b, weights) in weights.iter_mut().enumerate() {
            *weights = s.load(w.add(vector::<S>(b, pair)));
        }
        for (p, sums) in sums.iter_mut().enumerate() {
            let x = s.splat(*x.add(p * x_pixel));
            for b in 0..B {
                sums[b] = s.mul_add(x, weights[b], sums[b]);
            }
        }
    }
}

/// Entry point of a tile.
pub(crate) type TileFn = unsafe fn(&TileArgs);

/// Tiles of an instruction set.
pub(crate) struct Tiles {
    /// Tiles of one block and of two, indexed by pixels minus 1.
    wide: [[TileFn; MAX_MR]; 2],
    /// Tiles of one pixel and two or more pairs of blocks, indexed by pairs minus 2.
    deep: [TileFn; PAIRS - 1],
}

/// Most pixels of a tile on any instruction set.
const MAX_MR: usize = 14;

/// Most pairs of blocks of a single pixel: eight accumulators hide the FMA latency.
pub(crate) const PAIRS: usize = 4;

impl Tiles {
    pub fn of<S: Simd>() -> Self {
        Self {
            wide: [widths::<S, 1>(S::MR_SINGLE), widths::<S, 2>(S::MR)],
            deep: [
                S::entry::<Tile<4, 1>>(),
                S::entry::<Tile<6, 1>>(),
                S::entry::<Tile<8, 1>>(),
            ],
        }
    }

    /// The tile of one or two blocks and `pixels` pixels, at most [`Simd::MR_SINGLE`] or
    /// [`Simd::MR`]; or the tile of one pixel and up to [`PAIRS`] pairs of blocks.
    #[inline]
    pub fn get(&self, blocks: usize, pixels: usize) -> TileFn {
        match blocks {
            1 | 2 => self.wide[blocks - 1][pixels - 1],
            _ => self.deep[blocks / 2 - 2],
        }
    }
}

fn widths<S: Simd, const B: usize>(most: usize) -> [TileFn; MAX_MR] {
    // Tiles that exceed the registers are never requested.
    macro_rules! table {
        ($($p:literal)*) => {
            [$(if $p <= most { S::entry::<Tile<B, $p>>() } else { S::entry::<Tile<B, 1>>() }),*]
        };
    }
    table!(1 2 3 4 5 6 7 8 9 10 11 12 13 14)
}
