//! Fully connected layers with 24-bit weights: the sums of some blocks of outputs.

use super::prefetch::{LINE, PAGE};
use super::simd::{Kernel, Simd};
use super::tile::TileArgs;

/// Taps whose weights for an output have a factor in common.
pub(crate) const SECTION: usize = 64;

/// Blocks of outputs that are computed at once.
pub(crate) const GROUP: usize = 4;

/// Taps whose weights are unpacked at once, and vectors that they are packed in.
pub(crate) const TAPS: usize = 4;

pub(crate) const VECTORS: usize = 3;

/// Lanes of the longest vectors, which others' divide.
pub(crate) const MOST_LANES: usize = 16;

/// The sums of `B` blocks of outputs. Its [`TileArgs`] are of one pixel, with `weights_pair` from a block's packed
/// weights to those of the next, and biases next to each other.
///
/// # Safety
///
/// All that the arguments describe must be readable, and `y` writable.
pub(crate) struct Sums<const B: usize>;

impl<const B: usize> Kernel for Sums<B> {
    type Args = TileArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &TileArgs) {
        unsafe {
            let mut sums = [[s.zero(); B]];
            for b in 0..B {
                sums[0][b] = s.load(a.bias.add(b * S::LANES));
            }
            let mut w = a.weights;
            let mut offset = a.offsets;
            let mut left = a.positions;
            while left > 0 {
                let factors = w;
                w = w.add(S::LANES);
                let positions = left.min(SECTION / S::LANES);
                left -= positions;
                for _ in 0..positions {
                    let x = a.x.add(*offset as usize);
                    offset = offset.add(1);
                    for first in (0..S::LANES).step_by(TAPS) {
                        for b in 0..B {
                            let w = w.add(b * a.weights_pair);
                            for line in (0..VECTORS * S::LANES).step_by(LINE) {
                                s.prefetch_l1(w.wrapping_add(S::PAGES * PAGE + line));
                            }
                            let factor = s.load(factors.add(b * a.weights_pair));
                            let weights = s.unpack(w);
                            for i in 0..TAPS {
                                let x = s.splat(*x.add(first + i));
                                let weight = s.mul(weights[i], factor);
                                sums[0][b] = s.mul_add(x, weight, sums[0][b]);
                            }
                        }
                        w = w.add(VECTORS * S::LANES);
                    }
                }
            }
            if !a.residual.is_null() {
                for b in 0..B {
                    let residual = s.load(a.residual.add(b * a.residual_block));
                    sums[0][b] = s.add(sums[0][b], residual);
                }
            }
            a.activation.apply_all::<S, B, 1>(s, &mut sums);
            for b in 0..B {
                s.store(a.y.add(b * a.y_block), sums[0][b]);
            }
        }
    }
}

/// The addresses of an instruction set's code, by blocks, less one.
pub(crate) type FullyConnectedFns = [unsafe fn(&TileArgs); GROUP];

/// Those of `S`.
pub(crate) fn fully_connected<S: Simd>() -> FullyConnectedFns {
    [
        S::entry::<Sums<1>>(),
        S::entry::<Sums<2>>(),
        S::entry::<Sums<3>>(),
        S::entry::<Sums<4>>(),
    ]
}
