//! The transform of weights, `G g G'`, a vector of output channels at a time.

use super::tile::WinogradTile;
use crate::cpu::micro::simd::{Kernel, Simd};

/// The weights of a block of output channels.
pub(crate) struct WeightArgs {
    /// The first output channel's first tap of the first input channel, as [`Taps`] has them.
    pub values: *const f32,
    pub out: usize,
    pub channel: usize,
    pub reversed: bool,
    /// Output channels that there are, and input channels.
    pub outs: usize,
    pub channels: usize,
    pub matrix: [[f32; 5]; 6],
    /// Where the first place's vector of the first input channel goes, and from one channel, and one place, to
    /// the next.
    pub to: *mut f32,
    pub to_channel: usize,
    pub to_element: usize,
}

/// `I x I` places of kernels of `K x K`.
///
/// # Safety
///
/// All that [`WeightArgs`] describes is readable, and there is room for `I * I` places of all channels.
struct Transform<const I: usize, const K: usize>;

/// Lanes of the widest instruction set.
const WIDEST: usize = 16;

impl<const I: usize, const K: usize> Kernel for Transform<I, K> {
    type Args = WeightArgs;

    #[inline(always)]
    unsafe fn run<S: Simd>(s: S, a: &WeightArgs) {
        unsafe {
            let mut lanes = [[0.0_f32; WIDEST]; 25];
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

/// The sum of `factors` times `values`.
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

/// The address of a transform's code.
pub(crate) type WeightFn = unsafe fn(&WeightArgs);

/// The transforms of an instruction set.
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
