//! The transform of inputs, `B' d B`.

use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};

use super::super::ahead::bring;
use super::super::map::{Border, Map};
use super::super::simd::{Kernel, Simd};
use super::{SOON, WinogradTile, tiles};

/// Which tiles to transform, from where, to where.
pub(in crate::cpu) struct InputArgs {
    pub arena: *const f32,
    pub x: Map,
    pub padding: Border,
    /// Tiles of an image, down and across.
    pub per_image: [usize; 2],
    /// The first tile, of all of the batch, and how many.
    pub first: usize,
    pub count: usize,
    /// `[place, block, tile, lane]`.
    pub to: *mut f32,
    /// From one place to the next.
    pub place: usize,
}

/// All blocks of `count` tiles of `N x N` inputs whose outputs are `M` apart.
struct Input<const N: usize, const M: usize>;

impl<const N: usize, const M: usize> Kernel for Input<N, M> {
    type Args = InputArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(a: &InputArgs) {
        let x = &a.x;
        let window = |block: usize, [image, row, column]: [usize; 3]| {
            let top = x.border.top - a.padding.top + row * M;
            let left = x.border.left - a.padding.left + column * M;
            let image = x.offset + image * x.image + block * x.block;
            a.arena.wrapping_add(image + top * x.row + left * S::LANES)
        };
        let tiles = tiles(x.blocks(), a.per_image, a.first, a.count);
        let mut soon = tiles.clone().skip(SOON);
        for (tile, (block, cell)) in tiles.enumerate() {
            unsafe {
                if let Some((block, cell)) = soon.next() {
                    // The columns before are those of the tile before.
                    let new = window(block, cell).wrapping_add((N - M) * S::LANES);
                    bring::<S>(new, x.row, [N, M]);
                }
                let from = window(block, cell);
                let mut half = [[S::zero(); N]; N];
                for column in 0..N {
                    let mut d = [S::zero(); N];
                    for (row, d) in d.iter_mut().enumerate() {
                        *d = S::load(from.add(row * x.row + column * S::LANES));
                    }
                    let t = transform::<S, N>(d);
                    for row in 0..N {
                        half[row][column] = t[row];
                    }
                }
                let to = a.to.add(tile * S::LANES);
                for (row, half) in half.iter().enumerate() {
                    let values = transform::<S, N>(*half);
                    for (column, value) in values.iter().enumerate() {
                        S::store(to.add((row * N + column) * a.place), *value);
                    }
                }
            }
        }
    }
}

/// `B' d` for one column: the value at point `p` is the row of `m(x) / (x - p)` times `d`, where
/// `m` has all points as roots; at infinity, that of `m` itself.
#[inline(always)]
unsafe fn transform<S: Simd, const N: usize>(d: [S::Vector; N]) -> [S::Vector; N] {
    unsafe {
        let mut t = d;
        if N == 4 {
            t[0] = S::sub(d[0], d[2]);
            t[1] = S::add(d[1], d[2]);
            t[2] = S::sub(d[2], d[1]);
            t[3] = S::sub(d[3], d[1]);
        } else {
            let (a, b) = (S::splat(FRAC_1_SQRT_2), S::splat(SQRT_2));
            let squares = S::splat(2.5);
            t[0] = S::neg_mul_add(squares, d[2], S::add(d[0], d[4]));
            let even = S::neg_mul_add(S::splat(2.0), d[2], d[4]);
            let odd = S::mul(a, S::neg_mul_add(S::splat(2.0), d[1], d[3]));
            t[1] = S::add(even, odd);
            t[2] = S::sub(even, odd);
            let even = S::neg_mul_add(S::splat(0.5), d[2], d[4]);
            let odd = S::mul(b, S::neg_mul_add(S::splat(0.5), d[1], d[3]));
            t[3] = S::add(even, odd);
            t[4] = S::sub(even, odd);
            t[5] = S::neg_mul_add(squares, d[3], S::add(d[1], d[5]));
        }
        t
    }
}

type InputFn = unsafe fn(&InputArgs);

/// The transforms of an instruction set.
pub(in crate::cpu) struct InputTransforms {
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
