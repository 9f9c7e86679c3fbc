//! Winograd's input transform, `B' d B`.

use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};
use std::mem::MaybeUninit;

use super::tile::WinogradTile;
use super::tile_offsets::{TileOffsets, opaque, prefetch_tile};
use crate::cpu::micro::prefetch::prefetch_rows;
use crate::cpu::micro::simd::{MicroKernel, Simd};

/// Tiles to transform, and their destination. Strides are in elements.
pub(crate) struct InputArgs {
    pub arena: *const f32,
    /// Row stride of the input map.
    pub x_row: usize,
    /// Block stride, and number of blocks of channels.
    pub x_block: usize,
    pub x_blocks: usize,
    /// Offsets of the tiles.
    pub tiles: *const [TileOffsets],
    /// `[element, block, tile, lane]`.
    pub to: *mut f32,
    /// Stride from one tile element to the next.
    pub element: usize,
}

/// Input transform of tiles of `N x N` inputs and `M x M` outputs, all blocks of channels.
///
/// # Safety
///
/// All memory that [`InputArgs`] describes is readable, and the memory of `to` is writable.
struct Input<const N: usize, const M: usize>;

impl<const N: usize, const M: usize> MicroKernel for Input<N, M> {
    type Args = InputArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &InputArgs) {
        // SAFETY: the caller keeps the list of tiles alive.
        let tiles = unsafe { &*a.tiles };
        let trips = opaque::<N>();
        let mut to = a.to;
        for block in 0..a.x_blocks {
            let block = a.arena.wrapping_add(block * a.x_block);
            for (tile, offsets) in tiles.iter().enumerate() {
                // Earlier columns overlap the tile before.
                let (blocks_ahead, ahead) = prefetch_tile(tile, tiles);
                let new = ahead.x + blocks_ahead * a.x_block + (N - M) * S::LANES;
                let new = block.wrapping_add(new);
                // SAFETY: the caller guarantees the memory that the arguments describe.
                unsafe {
                    prefetch_rows::<S>(s, new, a.x_row, [N, M]);
                    let from = block.add(offsets.x);
                    let mut half = MaybeUninit::<[[S::Vector; N]; N]>::uninit();
                    let half = half.as_mut_ptr().cast::<S::Vector>();
                    for column in 0..trips {
                        let from = from.add(column * S::LANES);
                        let d = std::array::from_fn(|row| s.load(from.add(row * a.x_row)));
                        for (row, t) in transform::<S, N>(s, d).into_iter().enumerate() {
                            half.add(row * N + column).write(t);
                        }
                    }
                    for row in 0..trips {
                        let half = half.add(row * N).cast::<[S::Vector; N]>().read();
                        let to = to.add(row * N * a.element);
                        for (column, t) in transform::<S, N>(s, half).into_iter().enumerate() {
                            s.store(to.add(column * a.element), t);
                        }
                    }
                }
                to = to.wrapping_add(S::LANES);
            }
        }
    }
}

/// `B' d` for one column: the row of point `p` has the coefficients of `m(x) / (x - p)`, where `m`
/// has all points as roots; the row of infinity has the roots of `m`.
#[inline(always)]
fn transform<S: Simd, const N: usize>(s: S, d: [S::Vector; N]) -> [S::Vector; N] {
    let mut t = d;
    if N == 4 {
        t[0] = s.sub(d[0], d[2]);
        t[1] = s.add(d[1], d[2]);
        t[2] = s.sub(d[2], d[1]);
        t[3] = s.sub(d[3], d[1]);
    } else {
        let (a, b) = (s.splat(FRAC_1_SQRT_2), s.splat(SQRT_2));
        let squares = s.splat(2.5);
        t[0] = s.neg_mul_add(squares, d[2], s.add(d[0], d[4]));
        let even = s.neg_mul_add(s.splat(2.0), d[2], d[4]);
        let odd = s.mul(a, s.neg_mul_add(s.splat(2.0), d[1], d[3]));
        t[1] = s.add(even, odd);
        t[2] = s.sub(even, odd);
        let even = s.neg_mul_add(s.splat(0.5), d[2], d[4]);
        let odd = s.mul(b, s.neg_mul_add(s.splat(0.5), d[1], d[3]));
        t[3] = s.add(even, odd);
        t[4] = s.sub(even, odd);
        t[5] = s.neg_mul_add(squares, d[3], s.add(d[1], d[5]));
    }
    t
}

type InputFn = unsafe fn(&InputArgs);

/// Input transforms of an instruction set.
pub(crate) struct InputTransforms {
    two: InputFn,
    four: InputFn,
    two_of_five: InputFn,
}

impl InputTransforms {
    pub fn of<S: Simd>() -> Self {
        Self {
            two: S::entry::<Input<4, 2>>(),
            four: S::entry::<Input<6, 4>>(),
            two_of_five: S::entry::<Input<6, 2>>(),
        }
    }

    pub fn get(&self, tile: WinogradTile) -> InputFn {
        match tile {
            WinogradTile::Two => self.two,
            WinogradTile::Four => self.four,
            WinogradTile::TwoOfFive => self.two_of_five,
        }
    }
}
