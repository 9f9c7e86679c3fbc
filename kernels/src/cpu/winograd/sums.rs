//! The transform of sums, `A' m A`, and what follows a convolution.

use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};

use super::super::ahead::bring;
use super::super::map::Map;
use super::super::output::Output;
use super::super::simd::{Kernel, Simd};
use super::{SOON, WinogradTile, tiles};

/// Which tiles to transform, from where, to where.
pub(in crate::cpu) struct SumsArgs {
    pub arena: *mut f32,
    pub output: Output,
    /// Tiles of an image, down and across.
    pub per_image: [usize; 2],
    /// The first tile, of all of the batch, and how many.
    pub first: usize,
    pub count: usize,
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

/// `count` tiles of `N x N` sums to `M x M` outputs.
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
        let tiles = tiles(a.blocks, a.per_image, a.first, a.count);
        let mut soon = tiles.clone().skip(SOON);
        for (tile, (block, [image, row, column])) in tiles.enumerate() {
            let at = |map: &Map, block: usize, [image, row, column]: [usize; 3]| {
                map.at(image, a.block + block, row * M, column * M)
            };
            if let Some((block, cell)) = soon.next() {
                for map in std::iter::once(y).chain(residual) {
                    let outputs = a.arena.wrapping_add(at(map, block, cell));
                    unsafe { bring::<S>(outputs, map.row, [M, M]) };
                }
            }
            let (height, width) = ((y.height - row * M).min(M), (y.width - column * M).min(M));
            unsafe {
                let bias = S::load(a.bias.add(block * S::LANES));
                let from = a.sums.add(tile * S::LANES);
                let mut half = [[S::zero(); N]; M];
                for column in 0..N {
                    let mut m = [S::zero(); N];
                    for (row, m) in m.iter_mut().enumerate() {
                        *m = S::load(from.add((row * N + column) * a.place));
                    }
                    let t = transform::<S, N, M>(m);
                    for row in 0..M {
                        half[row][column] = t[row];
                    }
                }
                let cell = [image, row, column];
                let to = a.arena.add(at(y, block, cell));
                let added = residual.map(|map| (a.arena.add(at(&map, block, cell)), map.row));
                // Loads and stores of a row's outputs: all but at the map's end.
                let whole = width == M;
                for (row, half) in half.iter().enumerate().take(height) {
                    let mut out = transform::<S, N, M>(*half).map(|out| S::add(out, bias));
                    let each = |column: usize| column * S::LANES;
                    if let Some((from, pitch)) = added {
                        let from = from.add(row * pitch);
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
