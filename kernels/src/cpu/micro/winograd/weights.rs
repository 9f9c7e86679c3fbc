//! Winograd's weight transform, `G g G'`, one vector of output channels at a time.

use super::tile::WinogradTile;
use crate::cpu::micro::simd::{MAX_LANES, MicroKernel, Simd};

/// Weights of one block of output channels. Strides are in elements.
pub(crate) struct WeightArgs {
    /// First tap of the first pair of channels, with the strides of
    /// [`Taps`](crate::cpu::layout::Taps).
    pub values: *const f32,
    pub out: usize,
    pub channel: usize,
    pub reversed: bool,
    /// Output channels of the block, and input channels.
    pub outs: usize,
    pub channels: usize,
    pub matrix: [[f32; 5]; 6],
    /// Destination of element 0 of the first input channel, and the strides from one input channel,
    /// and one tile element, to the next.
    pub to: *mut f32,
    pub to_channel: usize,
    pub to_element: usize,
}

/// Weight transform of `K x K` kernels to `I x I` tile elements.
///
/// # Safety
///
/// All memory that [`WeightArgs`] describes is readable, and the memory of `to` is writable.
struct Transform<const I: usize, const K: usize>;

impl<const I: usize, const K: usize> MicroKernel for Transform<I, K> {
    type Args = WeightArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &WeightArgs) {
        // SAFETY: the caller guarantees the memory that the arguments describe.
        unsafe {
            let mut lanes = [[0.0_f32; MAX_LANES]; 25];
            for channel in 0..a.channels {
                for lane in 0..a.outs {
                    let from = a.values.add(lane * a.out + channel * a.channel);
                    for tap in 0..K * K {
                        let at = if a.reversed { K * K - 1 - tap } else { tap };
                        lanes[tap][lane] = *from.add(at);
                    }
                }
                let mut half = [[s.zero(); K]; I];
                for x in 0..K {
                    let mut column = [s.zero(); K];
                    for (y, value) in column.iter_mut().enumerate() {
                        *value = s.load(lanes[y * K + x].as_ptr());
                    }
                    for (i, half) in half.iter_mut().enumerate() {
                        half[x] = product::<S, K>(s, &a.matrix[i], &column);
                    }
                }
                let mut to = a.to.add(channel * a.to_channel);
                for row in &half {
                    for j in 0..I {
                        s.store(to, product::<S, K>(s, &a.matrix[j], row));
                        to = to.wrapping_add(a.to_element);
                    }
                }
            }
        }
    }
}

/// Dot product of `factors` and `values`.
#[inline(always)]
fn product<S: Simd, const K: usize>(
    s: S,
    factors: &[f32; 5],
    values: &[S::Vector; K],
) -> S::Vector {
    let mut sum = s.mul(s.splat(factors[0]), values[0]);
    for k in 1..K {
        sum = s.mul_add(s.splat(factors[k]), values[k], sum);
    }
    sum
}

/// Entry point.
pub(crate) type WeightFn = unsafe fn(&WeightArgs);

/// Weight transforms of an instruction set.
pub(crate) struct WeightTransforms([WeightFn; 3]);

impl WeightTransforms {
    pub fn of<S: Simd>() -> Self {
        Self([
            S::entry::<Transform<4, 3>>(),
            S::entry::<Transform<6, 3>>(),
            S::entry::<Transform<6, 5>>(),
        ])
    }

    pub fn get(&self, tile: WinogradTile) -> WeightFn {
        match tile {
            WinogradTile::Two => self.0[0],
            WinogradTile::Four => self.0[1],
            WinogradTile::TwoOfFive => self.0[2],
        }
    }
}
