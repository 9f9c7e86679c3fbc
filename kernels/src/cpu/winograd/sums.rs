//! The transform of sums, `A' m A`, and what follows a convolution.

use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};
use std::mem::MaybeUninit;

use super::super::output::Output;
use super::super::prefetch::bring;
use super::super::simd::{Kernel, Simd};
use super::WinogradTile;
use super::tile_offsets::{TileOffsets, soon, turns};

/// Which tiles to transform, from where, to where.
pub(in crate::cpu) struct SumsArgs {
    pub arena: *mut f32,
    pub output: Output,
    /// Where the tiles lie.
    pub tiles: *const [TileOffsets],
    /// The first output block, and how many.
    pub block: usize,
    pub blocks: usize,
    /// `[place, block, tile, lane]`.
    pub sums: *const f32,
    /// From one place to the next.
    pub place: usize,
    /// `blocks` vectors.
    pub bias: *const f32,
}

/// The tiles of `N x N` sums to `M x M` outputs.
struct Sums<const N: usize, const M: usize>;

impl<const N: usize, const M: usize> Kernel for Sums<N, M> {
    type Args = SumsArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(a: &SumsArgs) {
        let Output {
            y,
            residual,
            activation,
        } = &a.output;
        // SAFETY: the caller keeps them.
        let tiles = unsafe { &*a.tiles };
        let turns = turns::<N>();
        let mut from = a.sums;
        for block in 0..a.blocks {
            let y_block = a.arena.wrapping_add((a.block + block) * y.block);
            let residual = residual.as_ref().map(|map| {
                let block = a.arena.wrapping_add((a.block + block) * map.block);
                (block, map)
            });
            let bias = unsafe { S::load(a.bias.add(block * S::LANES)) };
            for (tile, spot) in tiles.iter().enumerate() {
                let (next, soon) = soon(tile, tiles);
                unsafe {
                    let to = y_block.wrapping_add(next * y.block + soon.y);
                    bring::<S>(to, y.row, [M, M]);
                    if let Some((block, map)) = residual {
                        let from = block.wrapping_add(next * map.block + soon.residual);
                        bring::<S>(from, map.row, [M, M]);
                    }
                }
                let [height, width] = spot.size;
                unsafe {
                    let mut half = MaybeUninit::<[[S::Vector; N]; M]>::uninit();
                    let half = half.as_mut_ptr().cast::<S::Vector>();
                    for column in 0..turns {
                        let from = from.add(column * a.place);
                        let m = std::array::from_fn(|row| S::load(from.add(row * N * a.place)));
                        for (row, t) in transform::<S, N, M>(m).into_iter().enumerate() {
                            half.add(row * N + column).write(t);
                        }
                    }
                    let to = y_block.add(spot.y);
                    // Loads and stores of a row's outputs: all but at the map's end.
                    let whole = width == M;
                    for row in 0..height {
                        let half = half.add(row * N).cast::<[S::Vector; N]>().read();
                        let mut out = transform::<S, N, M>(half).map(|out| S::add(out, bias));
                        let each = |column: usize| column * S::LANES;
                        if let Some((block, map)) = residual {
                            let from = block.add(spot.residual + row * map.row);
                            for (column, out) in out.iter_mut().enumerate() {
                                if whole || column < width {
                                    *out = S::add(*out, S::load(from.add(each(column))));
                                }
                            }
                        }
                        activation.apply_all::<S, M, 1>(std::array::from_mut(&mut out));
                        let to = to.add(row * y.row);
                        for (column, out) in out.iter().enumerate() {
                            if whole || column < width {
                                S::store(to.add(each(column)), *out);
                            }
                        }
                    }
                }
                from = from.wrapping_add(S::LANES);
            }
        }
    }
}

/// `A' m` for one column: output `i` is the sum of the values at points `p` times `p^i`; the value at
/// infinity is the last one's alone.
#[inline(always)]
unsafe fn transform<S: Simd, const N: usize, const M: usize>(m: [S::Vector; N]) -> [S::Vector; M] {
    unsafe {
        let mut t = [S::zero(); M];
        let (sum1, difference1) = (S::add(m[1], m[2]), S::sub(m[1], m[2]));
        if N == 4 {
            t[0] = S::add(m[0], sum1);
            t[1] = S::add(difference1, m[3]);
            return t;
        }
        let (a, b) = (S::splat(FRAC_1_SQRT_2), S::splat(SQRT_2));
        let (sum2, difference2) = (S::add(m[3], m[4]), S::sub(m[3], m[4]));
        t[0] = S::add(S::add(m[0], sum1), sum2);
        t[1] = S::mul_add(a, difference1, S::mul(b, difference2));
        if M == 4 {
            t[2] = S::mul_add(S::splat(0.5), sum1, S::mul(S::splat(2.0), sum2));
            let cubes = S::mul(S::splat(0.5 * FRAC_1_SQRT_2), difference1);
            t[3] = S::add(S::mul_add(S::splat(2.0 * SQRT_2), difference2, cubes), m[5]);
        } else {
            t[1] = S::add(t[1], m[5]);
        }
        t
    }
}

type SumsFn = unsafe fn(&SumsArgs);

/// The transforms of an instruction set.
pub(in crate::cpu) struct SumsTransforms {
    two: SumsFn,
    four: SumsFn,
    two_of_five: SumsFn,
}

impl SumsTransforms {
    pub fn of<S: Simd>() -> Self {
        Self {
            two: S::entry::<Sums<4, 2>>(),
            four: S::entry::<Sums<6, 4>>(),
            two_of_five: S::entry::<Sums<6, 2>>(),
        }
    }

    pub fn get(&self, tile: WinogradTile) -> SumsFn {
        match tile {
            WinogradTile::Two => self.two,
            WinogradTile::Four => self.four,
            WinogradTile::TwoOfFive => self.two_of_five,
        }
    }
}
