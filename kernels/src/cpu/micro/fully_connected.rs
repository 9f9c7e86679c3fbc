//! Fully connected layers with 24-bit weights: micro-kernels for one to four blocks of outputs.

use super::prefetch::{LINE, PAGE};
use super::simd::{MicroKernel, Simd};
use super::tile::TileArgs;

/// Taps of an output that share a scale factor.
pub(crate) const SCALE_GROUP: usize = 64;

/// Most blocks of outputs that a micro-kernel computes.
pub(crate) const MAX_BLOCKS: usize = 4;

/// Taps that are unpacked at a time, and packed vectors that hold them.
pub(crate) const TAPS: usize = 4;

pub(crate) const VECTORS: usize = 3;

/// Sums of `B` blocks of outputs. The arguments describe one pixel; `weights_pair` is the stride
/// from the packed weights of one block to the next, and biases are adjacent.
///
/// # Safety
///
/// All memory that [`TileArgs`] describes is readable, and the memory of `y` is writable.
pub(crate) struct Sums<const B: usize>;

impl<const B: usize> MicroKernel for Sums<B> {
    type Args = TileArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &TileArgs) {
        // SAFETY: the caller guarantees the memory that the arguments describe.
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
                let positions = left.min(SCALE_GROUP / S::LANES);
                left -= positions;
                for _ in 0..positions {
                    let x = a.x.add(*offset as usize);
                    offset = offset.add(1);
                    for first in (0..S::LANES).step_by(TAPS) {
                        for b in 0..B {
                            let w = w.add(b * a.weights_pair);
                            for line in (0..VECTORS * S::LANES).step_by(LINE) {
                                s.prefetch_l1(w.wrapping_add(S::PREFETCH_PAGES * PAGE + line));
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

/// Entry points of an instruction set, indexed by blocks minus 1.
pub(crate) type FullyConnectedFns = [unsafe fn(&TileArgs); MAX_BLOCKS];

/// The micro-kernels compiled for `S`.
pub(crate) fn fully_connected<S: Simd>() -> FullyConnectedFns {
    [
        S::entry::<Sums<1>>(),
        S::entry::<Sums<2>>(),
        S::entry::<Sums<3>>(),
        S::entry::<Sums<4>>(),
    ]
}
