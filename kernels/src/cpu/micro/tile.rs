//! The tile: the sums of products that every convolution, and every fully connected layer, is
//! made of.
//!
//! A tile is `P` output pixels of `B` blocks of output channels, all in registers. For every
//! input element that one of its windows reads, each pixel's element is broadcast and multiplied
//! with the `B` vectors of weights of that tap. Weights are packed in the order in which they are
//! read, so that they stream: those of one or two blocks together. A pixel alone is multiplied with
//! more pairs of blocks at once, for a sum waits for the one before, some cycles, and two sums would
//! leave the multipliers idle meanwhile.
//!
//! What the taps are is data: a list of positions with `inner` contiguous elements each. A
//! convolution over blocked maps has the channels of a block in `inner`; one over a planar map has
//! the taps of a row there; a fully connected layer's pixels are images.

use super::activation::Activation;
use super::prefetch::Prefetch;
use super::simd::{Kernel, Simd};

/// What a tile reads and writes. Strides are in elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TileArgs {
    /// The first pixel's first tap.
    pub x: *const f32,
    /// From one pixel to the next.
    pub x_pixel: usize,
    /// Where its positions are, from `x` on.
    pub offsets: *const u32,
    /// Positions, and contiguous taps of each.
    pub positions: usize,
    pub inner: usize,
    /// Positions after them, those of a last block with fewer channels, and taps of each.
    pub last_positions: usize,
    pub last_inner: usize,
    /// For every tap of every position, `B` vectors, or two where there are more blocks.
    pub weights: *const f32,
    /// From the weights, and the bias, of two blocks to those of the next two.
    pub weights_pair: usize,
    /// What is brought nearer meanwhile.
    pub prefetch: Prefetch,
    /// Tiles, each of the pixels after those of the one before.
    pub tiles: usize,
    /// `B` vectors, in pairs as the weights, or null.
    pub bias: *const f32,
    /// Whether the sums go on from what `y` holds, not from the bias.
    pub onto: bool,
    /// The first pixel of the first block.
    pub y: *mut f32,
    pub y_pixel: usize,
    pub y_block: usize,
    /// Whether a vector's halves are the sums of two pixels, each of as many channels.
    pub halves: bool,
    /// Added before the activation, or null.
    pub residual: *const f32,
    pub residual_pixel: usize,
    pub residual_block: usize,
    pub activation: Activation,
}

impl TileArgs {
    /// A tile over `positions` positions of `inner` contiguous taps each, then `last_positions` of
    /// `last_inner`, which reads and writes nowhere yet.
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
            onto: false,
            y: std::ptr::null_mut(),
            y_pixel: 0,
            y_block: 0,
            halves: false,
            residual: std::ptr::null(),
            residual_pixel: 0,
            residual_block: 0,
            activation: Activation::Identity,
        }
    }
}

/// Tiles of `P` pixels of `B` blocks.
///
/// # Safety
///
/// All that [`TileArgs`] describes must be readable, and `y` writable.
pub(crate) struct Tile<const B: usize, const P: usize>;

impl<const B: usize, const P: usize> Kernel for Tile<B, P> {
    type Args = TileArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &TileArgs) {
        let mut prefetch = a.prefetch;
        for tile in 0..a.tiles {
            prefetch.before(tile);
            let first = tile * P;
            let x = a.x.wrapping_add(first * a.x_pixel);
            let y = a.y.wrapping_add(first * a.y_pixel);
            unsafe {
                let mut sums = [[s.zero(); B]; P];
                if a.onto {
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
                    if B == 1 && a.halves {
                        // Where each pixel has no channels, it has the other's.
                        let second = y.add(p * a.y_pixel + S::LANES);
                        s.store(second, s.swap_halves(sums[0]));
                    }
                }
            }
        }
    }
}

/// All taps of every pixel times their weights. `ADJACENT` pixels are a vector apart.
///
/// There is as little beside multiplications as can be. Loops and branches around every few taps cost little where a
/// core is ours alone, and up to half of the speed where its other hardware thread is at work, as on most rented machines.
#[inline(always)]
unsafe fn taps<S: Simd, const B: usize, const P: usize, const ADJACENT: bool>(
    s: S,
    a: &TileArgs,
    x: *const f32,
    prefetch: &mut Prefetch,
    sums: &mut [[S::Vector; B]; P],
) {
    const { assert!(S::LANES.is_multiple_of(S::STEPS)) }
    let x_pixel = if ADJACENT { S::LANES } else { a.x_pixel };
    let bring = |prefetch: &mut Prefetch| match B.div_ceil(2) {
        1 => prefetch.bring::<S, 1>(s, 0),
        2 => prefetch.bring::<S, 2>(s, a.weights_pair),
        3 => prefetch.bring::<S, 3>(s, a.weights_pair),
        _ => prefetch.bring::<S, PAIRS>(s, a.weights_pair),
    };
    unsafe {
        let mut w = a.weights;
        let mut offset = a.offsets;
        let mut rest = [(a.positions, a.inner), (a.last_positions, a.last_inner)];
        macro_rules! written_out {
            ($taps:expr) => {{
                for _ in 0..a.positions {
                    let x = x.add(*offset as usize);
                    offset = offset.add(1);
                    for first in (0..$taps).step_by(S::STEPS) {
                        bring(prefetch);
                        let taps = S::STEPS.min($taps - first);
                        run::<S, B, P>(s, a, x.add(first), x_pixel, &mut w, taps, sums);
                    }
                }
                rest[0].0 = 0;
            }};
        }
        match a.inner {
            inner if inner == S::LANES => written_out!(S::LANES),
            3 if !ADJACENT => written_out!(3),
            5 if !ADJACENT => written_out!(5),
            6 => written_out!(6),
            7 if !ADJACENT => written_out!(7),
            _ => {}
        }
        for (positions, inner) in rest {
            for _ in 0..positions {
                let mut x = x.add(*offset as usize);
                offset = offset.add(1);
                let mut left = inner;
                while left > 0 {
                    bring(prefetch);
                    let taps = left.min(S::STEPS);
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

/// Where block `b`'s vector is, after the first block's.
#[inline(always)]
fn vector<S: Simd>(b: usize, pair: usize) -> usize {
    b / 2 * pair + b % 2 * S::LANES
}

/// `taps` contiguous taps, written out.
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
    unsafe {
        let tap_weights = B.min(2) * S::LANES;
        for i in 0..taps {
            let w = (w.add(i * tap_weights), a.weights_pair);
            tap::<S, B, P>(s, x.add(i), x_pixel, w, sums);
        }
        *w = w.add(taps * tap_weights);
    }
}

/// A tap of every pixel, each `x_pixel` after the one before, times its weights: two blocks', and so far from
/// there the next two's.
#[inline(always)]
pub(crate) unsafe fn tap<S: Simd, const B: usize, const P: usize>(
    s: S,
    x: *const f32,
    x_pixel: usize,
    (w, pair): (*const f32, usize),
    sums: &mut [[S::Vector; B]; P],
) {
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

/// The address of a tile's code.
pub(crate) type TileFn = unsafe fn(&TileArgs);

/// The tiles of an instruction set.
pub(crate) struct Tiles {
    /// Those of one block and of two, by pixels less one.
    wide: [[TileFn; MOST]; 2],
    /// Those of one pixel and two pairs of blocks or more, by pairs less two.
    deep: [TileFn; PAIRS - 1],
}

/// The widest tile of any instruction set.
const MOST: usize = 14;

/// Pairs of blocks of a pixel alone: as many sums as keep the multipliers at work.
pub(crate) const PAIRS: usize = 4;

impl Tiles {
    pub fn of<S: Simd>() -> Self {
        Self {
            wide: [widths::<S, 1>(S::ALONE), widths::<S, 2>(S::TILE)],
            deep: [
                S::entry::<Tile<4, 1>>(),
                S::entry::<Tile<6, 1>>(),
                S::entry::<Tile<8, 1>>(),
            ],
        }
    }

    /// The tile of one block or two and of `pixels` pixels, at most [`Simd::ALONE`] or [`Simd::TILE`]; of
    /// one pixel, that of up to [`PAIRS`] pairs of blocks.
    pub fn get(&self, blocks: usize, pixels: usize) -> TileFn {
        match blocks {
            1 | 2 => self.wide[blocks - 1][pixels - 1],
            _ => self.deep[blocks / 2 - 2],
        }
    }
}

fn widths<S: Simd, const B: usize>(most: usize) -> [TileFn; MOST] {
    // A tile wider than the registers would be slow and is never asked for.
    macro_rules! table {
        ($($p:literal)*) => {
            [$(if $p <= most { S::entry::<Tile<B, $p>>() } else { S::entry::<Tile<B, 1>>() }),*]
        };
    }
    table!(1 2 3 4 5 6 7 8 9 10 11 12 13 14)
}
