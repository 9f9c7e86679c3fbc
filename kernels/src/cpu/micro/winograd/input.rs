//! The transform of inputs, `B' d B`.

use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};
use std::mem::MaybeUninit;

use super::tile::WinogradTile;
use super::tile_offsets::{TileOffsets, soon, turns};
use crate::cpu::micro::prefetch::bring;
use crate::cpu::micro::simd::{Kernel, Simd};

/// Tiles to transform, their source and destination. Strides are in elements.
pub(crate) struct InputArgs {
    pub arena: *const f32,
    /// Rows of the input map: from one to the next.
    pub x_row: usize,
    /// Blocks of channels: from one to the next, and how many.
    pub x_block: usize,
    pub x_blocks: usize,
    /// Offsets of the tiles.
    pub tiles: *const [TileOffsets],
    /// `[element, block, tile, lane]`.
    pub to: *mut f32,
    /// From one tile element to the next.
    pub element: usize,
}

/// All blocks of the tiles of `N x N` inputs whose outputs are `M` apart.
struct Input<const N: usize, const M: usize>;

impl<const N: usize, const M: usize> Kernel for Input<N, M> {
    type Args = InputArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &InputArgs) {
        // SAFETY: the caller keeps them.
        let tiles = unsafe { &*a.tiles };
        let turns = turns::<N>();
        let mut to = a.to;
        for block in 0..a.x_blocks {
            let block = a.arena.wrapping_add(block * a.x_block);
            for (tile, spot) in tiles.iter().enumerate() {
                // The columns before are those of the tile before.
                let (next, soon) = soon(tile, tiles);
                let new = soon.x + next * a.x_block + (N - M) * S::LANES;
                let new = block.wrapping_add(new);
                unsafe {
                    bring::<S>(s, new, a.x_row, [N, M]);
                    let from = block.add(spot.x);
                    let mut half = MaybeUninit::<[[S::Vector; N]; N]>::uninit();
                    let half = half.as_mut_ptr().cast::<S::Vector>();
                    for column in 0..turns {
                        let from = from.add(column * S::LANES);
                        let d = std::array::from_fn(|row| s.load(from.add(row * a.x_row)));
                        for (row, t) in transform::<S, N>(s, d).into_iter().enumerate() {
                            half.add(row * N + column).write(t);
                        }
                    }
                    for row in 0..turns {
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

/// `B' d` for one column: the value at point `p` is the row of `m(x) / (x - p)` times `d`, where
/// `m` has all points as roots; at infinity, that of `m` itself.
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

/// The transforms of an instruction set.
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
