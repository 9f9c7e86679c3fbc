//! The tile: the sums of products that every convolution, and every fully connected layer, is
//! made of.
//!
//! A tile is `P` output pixels of `B` blocks of output channels, all in registers. For every
//! input element that one of its windows reads, each pixel's element is broadcast and multiplied
//! with the `B` vectors of weights of that tap. Weights are packed in the order in which they are
//! read, so that they stream.
//!
//! What the taps are is data: `blocks x rows x columns` positions with `inner` contiguous
//! elements each. A convolution over blocked maps has the channels of a block in `inner`; one
//! over a planar map has the taps of a row there; a fully connected layer's pixels are images.

use super::activation::Activation;
use super::ahead::Soon;
use super::kernels::Kernels;
use super::simd::{Kernel, Simd};

/// Taps that are written out one after the other. Where a tile has few accumulators, the instructions
/// of a loop around each tap would take as long as the tap.
pub(super) const STEPS: usize = 4;

/// What a tile reads and writes. Strides are in elements.
#[derive(Debug, Clone, Copy)]
pub(super) struct TileArgs {
    /// The first pixel's first tap.
    pub x: *const f32,
    /// From one pixel to the next.
    pub x_pixel: usize,
    /// Outermost taps: how many, and from one to the next.
    pub blocks: usize,
    pub x_block: usize,
    /// Rows of taps.
    pub rows: usize,
    pub x_row: usize,
    /// Columns of taps.
    pub columns: usize,
    pub x_column: usize,
    /// Contiguous taps, and those of the last block.
    pub inner: usize,
    pub last_inner: usize,
    /// `blocks x rows x columns x inner` groups of `B` vectors.
    pub weights: *const f32,
    /// What is brought nearer meanwhile.
    pub soon: Soon,
    /// `B` vectors, or null.
    pub bias: *const f32,
    /// Whether the sums go on from what `y` holds, not from the bias.
    pub onto: bool,
    /// The first pixel of the first block.
    pub y: *mut f32,
    pub y_pixel: usize,
    pub y_block: usize,
    /// Added before the activation, or null.
    pub residual: *const f32,
    pub residual_pixel: usize,
    pub residual_block: usize,
    pub activation: Activation,
}

impl TileArgs {
    /// A pointwise tile over `channels` channels in blocks of `lanes`, which writes nowhere yet.
    pub fn pointwise(x: *const f32, x_block: usize, channels: usize, lanes: usize) -> Self {
        let blocks = channels.div_ceil(lanes);
        Self {
            x,
            x_pixel: lanes,
            blocks,
            x_block,
            rows: 1,
            x_row: 0,
            columns: 1,
            x_column: 0,
            inner: lanes,
            last_inner: channels - (blocks - 1) * lanes,
            weights: std::ptr::null(),
            bias: std::ptr::null(),
            soon: Soon::NOTHING,
            onto: false,
            y: std::ptr::null_mut(),
            y_pixel: 0,
            y_block: 0,
            residual: std::ptr::null(),
            residual_pixel: 0,
            residual_block: 0,
            activation: Activation::Identity,
        }
    }
}

/// `P` pixels of `B` blocks.
///
/// # Safety
///
/// All that [`TileArgs`] describes must be readable, and `y` writable.
pub(super) struct Tile<const B: usize, const P: usize>;

impl<const B: usize, const P: usize> Kernel for Tile<B, P> {
    type Args = TileArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(a: &TileArgs) {
        unsafe {
            let mut sums = [[S::zero(); B]; P];
            if a.onto {
                for (p, sums) in sums.iter_mut().enumerate() {
                    for (b, sum) in sums.iter_mut().enumerate() {
                        *sum = S::load(a.y.add(b * a.y_block + p * a.y_pixel));
                    }
                }
            } else if !a.bias.is_null() {
                for b in 0..B {
                    let bias = S::load(a.bias.add(b * S::LANES));
                    for sums in &mut sums {
                        sums[b] = bias;
                    }
                }
            }
            if a.x_pixel == S::LANES {
                taps::<S, B, P, true>(a, &mut sums);
            } else {
                taps::<S, B, P, false>(a, &mut sums);
            }
            for (p, sums) in sums.into_iter().enumerate() {
                for (b, mut sum) in sums.into_iter().enumerate() {
                    if !a.residual.is_null() {
                        let at = b * a.residual_block + p * a.residual_pixel;
                        sum = S::add(sum, S::load(a.residual.add(at)));
                    }
                    let y = a.y.add(b * a.y_block + p * a.y_pixel);
                    S::store(y, a.activation.apply::<S>(sum));
                }
            }
        }
    }
}

/// All taps of every pixel times their weights. `ADJACENT` pixels are a vector apart.
#[inline(always)]
unsafe fn taps<S: Simd, const B: usize, const P: usize, const ADJACENT: bool>(
    a: &TileArgs,
    sums: &mut [[S::Vector; B]; P],
) {
    unsafe {
        let mut w = a.weights;
        let mut soon = a.soon;
        for block in 0..a.blocks {
            let inner = if block + 1 == a.blocks {
                a.last_inner
            } else {
                a.inner
            };
            for row in 0..a.rows {
                let mut x = a.x.add(block * a.x_block + row * a.x_row);
                for _ in 0..a.columns {
                    let mut i = 0;
                    // Whose addresses are constants.
                    while ADJACENT && i + STEPS <= inner {
                        soon.bring::<S>();
                        for step in 0..STEPS {
                            let w = w.add(step * B * S::LANES);
                            tap::<S, B, P>(x.add(i + step), S::LANES, w, sums);
                        }
                        w = w.add(STEPS * B * S::LANES);
                        i += STEPS;
                    }
                    while i < inner {
                        if i % STEPS == 0 {
                            soon.bring::<S>();
                        }
                        let x_pixel = if ADJACENT { S::LANES } else { a.x_pixel };
                        tap::<S, B, P>(x.add(i), x_pixel, w, sums);
                        w = w.add(B * S::LANES);
                        i += 1;
                    }
                    x = x.wrapping_add(a.x_column);
                }
            }
        }
    }
}

/// A tap of every pixel, each `x_pixel` after the one before, times its weights.
#[inline(always)]
unsafe fn tap<S: Simd, const B: usize, const P: usize>(
    x: *const f32,
    x_pixel: usize,
    w: *const f32,
    sums: &mut [[S::Vector; B]; P],
) {
    unsafe {
        let mut weights = [S::zero(); B];
        for (b, weights) in weights.iter_mut().enumerate() {
            *weights = S::load(w.add(b * S::LANES));
        }
        for (p, sums) in sums.iter_mut().enumerate() {
            let x = S::splat(*x.add(p * x_pixel));
            for b in 0..B {
                sums[b] = S::mul_add(x, weights[b], sums[b]);
            }
        }
    }
}

/// The address of a tile's code.
pub(super) type TileFn = unsafe fn(&TileArgs);

/// The tiles of an instruction set, by blocks less one and pixels less one.
pub(super) struct Tiles([[TileFn; MOST]; 2]);

/// The widest tile of any instruction set.
const MOST: usize = 14;

impl Tiles {
    pub fn of<S: Simd>() -> Self {
        Self([widths::<S, 1>(), widths::<S, 2>()])
    }

    /// The tile of `blocks` blocks and `pixels` pixels, at most [`Simd::TILE`].
    pub fn get(&self, blocks: usize, pixels: usize) -> TileFn {
        self.0[blocks - 1][pixels - 1]
    }
}

fn widths<S: Simd, const B: usize>() -> [TileFn; MOST] {
    // A tile wider than the registers would be slow and is never asked for.
    macro_rules! table {
        ($($p:literal)*) => {
            [$(if $p <= S::TILE { S::entry::<Tile<B, $p>>() } else { S::entry::<Tile<B, 1>>() }),*]
        };
    }
    table!(1 2 3 4 5 6 7 8 9 10 11 12 13 14)
}

/// The widest tile over data that stays in the nearest cache: as fast as multiply-adds can be.
pub(crate) struct InCache {
    kernels: &'static Kernels,
    x: Vec<f32>,
    weights: Vec<f32>,
    y: Vec<f32>,
}

impl InCache {
    const CHANNELS: usize = 8;
    const COLUMNS: usize = 16;

    pub fn new(kernels: &'static Kernels) -> Self {
        let lanes = kernels.lanes;
        Self {
            kernels,
            x: vec![1.0; lanes * kernels.blocking.tile],
            weights: vec![0.5; Self::COLUMNS * Self::CHANNELS * 2 * lanes],
            y: vec![0.0; 2 * lanes * kernels.blocking.tile],
        }
    }

    /// Runs it; returns how many multiply-adds that were.
    pub fn run(&mut self) -> usize {
        let (lanes, pixels) = (self.kernels.lanes, self.kernels.blocking.tile);
        let inner = lanes.min(Self::CHANNELS);
        let args = TileArgs {
            columns: Self::COLUMNS,
            weights: self.weights.as_ptr(),
            y: self.y.as_mut_ptr(),
            y_pixel: lanes,
            y_block: lanes * pixels,
            ..TileArgs::pointwise(self.x.as_ptr(), 0, inner, lanes)
        };
        // SAFETY: the vectors hold what the arguments describe.
        unsafe { self.kernels.tiles.get(2, pixels)(&args) };
        2 * pixels * lanes * inner * Self::COLUMNS
    }
}
