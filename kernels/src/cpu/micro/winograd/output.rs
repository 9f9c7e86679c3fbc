//! Winograd's output transform, `A' m A`, with bias, residual and activation.

use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};
use std::mem::MaybeUninit;

use super::tile::WinogradTile;
use super::tile_offsets::{TileOffsets, opaque, prefetch_tile};
use crate::cpu::micro::activation::Activation;
use crate::cpu::micro::prefetch::prefetch_rows;
use crate::cpu::micro::simd::{MicroKernel, Simd};

/// Tiles to transform, and their destination. Strides are in elements.
pub(crate) struct OutputArgs {
    pub arena: *mut f32,
    /// Row and block strides of the output map.
    pub y_row: usize,
    pub y_block: usize,
    /// Row and block strides of the map that is added, if any.
    pub residual: Option<[usize; 2]>,
    pub activation: Activation,
    /// Offsets of the tiles.
    pub tiles: *const [TileOffsets],
    /// First output block, and number of blocks.
    pub block: usize,
    pub blocks: usize,
    /// `[element, block, tile, lane]`.
    pub sums: *const f32,
    /// Stride from one tile element to the next.
    pub element: usize,
    /// Bias: `blocks` vectors.
    pub bias: *const f32,
}

/// Output transform of tiles of `N x N` sums and `M x M` outputs.
///
/// # Safety
///
/// All memory that [`OutputArgs`] describes is readable, and the memory of the output map is
/// writable.
struct Output<const N: usize, const M: usize>;

impl<const N: usize, const M: usize> MicroKernel for Output<N, M> {
    type Args = OutputArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &OutputArgs) {
        // SAFETY: the caller keeps the list of tiles alive.
        let tiles = unsafe { &*a.tiles };
        let trips = opaque::<N>();
        let mut from = a.sums;
        for block in 0..a.blocks {
            let y_block = a.arena.wrapping_add((a.block + block) * a.y_block);
            let residual = a.residual.map(|[row, block_stride]| {
                let block = a.arena.wrapping_add((a.block + block) * block_stride);
                (block, row, block_stride)
            });
            // SAFETY: the caller guarantees the memory that the arguments describe.
            let bias = unsafe { s.load(a.bias.add(block * S::LANES)) };
            for (tile, offsets) in tiles.iter().enumerate() {
                let (blocks_ahead, ahead) = prefetch_tile(tile, tiles);
                {
                    let to = y_block.wrapping_add(blocks_ahead * a.y_block + ahead.y);
                    prefetch_rows::<S>(s, to, a.y_row, [M, M]);
                    if let Some((block, row, block_stride)) = residual {
                        let from = block.wrapping_add(blocks_ahead * block_stride + ahead.residual);
                        prefetch_rows::<S>(s, from, row, [M, M]);
                    }
                }
                let [height, width] = offsets.size;
                // SAFETY: the caller guarantees the memory that the arguments describe.
                unsafe {
                    let mut half = MaybeUninit::<[[S::Vector; N]; M]>::uninit();
                    let half = half.as_mut_ptr().cast::<S::Vector>();
                    for column in 0..trips {
                        let from = from.add(column * a.element);
                        let m = std::array::from_fn(|row| s.load(from.add(row * N * a.element)));
                        for (row, t) in transform::<S, N, M>(s, m).into_iter().enumerate() {
                            half.add(row * N + column).write(t);
                        }
                    }
                    let to = y_block.add(offsets.y);
                    // Only tiles at the map's end have fewer columns.
                    let whole = width == M;
                    for row in 0..height {
                        let half = half.add(row * N).cast::<[S::Vector; N]>().read();
                        let mut out = transform::<S, N, M>(s, half).map(|out| s.add(out, bias));
                        let each = |column: usize| column * S::LANES;
                        if let Some((block, residual_row, _)) = residual {
                            let from = block.add(offsets.residual + row * residual_row);
                            for (column, out) in out.iter_mut().enumerate() {
                                if whole || column < width {
                                    *out = s.add(*out, s.load(from.add(each(column))));
                                }
                            }
                        }
                        a.activation
                            .apply_all::<S, M, 1>(s, std::array::from_mut(&mut out));
                        let to = to.add(row * a.y_row);
                        for (column, out) in out.iter().enumerate() {
                            if whole || column < width {
                                s.store(to.add(each(column)), *out);
                            }
                        }
                    }
                }
                from = from.wrapping_add(S::LANES);
            }
        }
    }
}

/// `A' m` for one column: output `i` is the sum of the values at points `p` times `p^i`; the value
/// at infinity adds to the last output only.
#[inline(always)]
fn transform<S: Simd, const N: usize, const M: usize>(s: S, m: [S::Vector; N]) -> [S::Vector; M] {
    let mut t = [s.zero(); M];
    let (sum1, difference1) = (s.add(m[1], m[2]), s.sub(m[1], m[2]));
    if N == 4 {
        t[0] = s.add(m[0], sum1);
        t[1] = s.add(difference1, m[3]);
        return t;
    }
    let (a, b) = (s.splat(FRAC_1_SQRT_2), s.splat(SQRT_2));
    let (sum2, difference2) = (s.add(m[3], m[4]), s.sub(m[3], m[4]));
    t[0] = s.add(s.add(m[0], sum1), sum2);
    t[1] = s.mul_add(a, difference1, s.mul(b, difference2));
    if M == 4 {
        t[2] = s.mul_add(s.splat(0.5), sum1, s.mul(s.splat(2.0), sum2));
        let cubes = s.mul(s.splat(0.5 * FRAC_1_SQRT_2), difference1);
        t[3] = s.add(s.mul_add(s.splat(2.0 * SQRT_2), difference2, cubes), m[5]);
    } else {
        t[1] = s.add(t[1], m[5]);
    }
    t
}

type OutputFn = unsafe fn(&OutputArgs);

/// Output transforms of an instruction set.
pub(crate) struct OutputTransforms {
    two: OutputFn,
    four: OutputFn,
    two_of_five: OutputFn,
}

impl OutputTransforms {
    pub fn of<S: Simd>() -> Self {
        Self {
            two: S::entry::<Output<4, 2>>(),
            four: S::entry::<Output<6, 4>>(),
            two_of_five: S::entry::<Output<6, 2>>(),
        }
    }

    pub fn get(&self, tile: WinogradTile) -> OutputFn {
        match tile {
            WinogradTile::Two => self.two,
            WinogradTile::Four => self.four,
            WinogradTile::TwoOfFive => self.two_of_five,
        }
    }
}
