//! Weights in 24 bits.

use super::{FullyConnected, block_len};
use crate::cpu::micro::fully_connected::{SCALE_GROUP, TAPS, VECTORS};

/// The greatest number that a weight becomes, in the units of [`Simd::unpack`](super::Simd::unpack): whatever is
/// rounded afterwards stays within 32 bits.
const GREATEST: f64 = (i32::MAX - 512) as f64;

impl FullyConnected {
    /// Packs `weights`, `[out, in, height, width]`, and `bias`. An output that has a weight which is not finite
    /// will not be a number.
    pub fn pack(&self, weights: &[f32], bias: Option<&[f32]>, packed: &mut [f32]) {
        let lanes = self.output.y.lanes;
        let depth = self.depth();
        let order = self.order();
        let mut section = [0.0; SCALE_GROUP];
        for block in 0..self.output.y.blocks() {
            let [biases, mut to] = self.packed(block);
            let outs = block * lanes..(block + 1) * lanes;
            for (lane, out) in outs.clone().enumerate() {
                let bias = bias.and_then(|bias| bias.get(out));
                packed[biases + lane] = bias.copied().unwrap_or(0.0);
            }
            for order in order.chunks(SCALE_GROUP) {
                let section = &mut section[..order.len()];
                for (lane, out) in outs.clone().enumerate() {
                    for (weight, &tap) in section.iter_mut().zip(order) {
                        *weight = weights.get(out * depth + tap).copied().unwrap_or(0.0);
                    }
                    let (factor, scale) = factor(section);
                    let mut to = to + lane;
                    packed[to] = factor;
                    for taps in section.chunks_exact(TAPS) {
                        let taps = std::array::from_fn(|i| f64::from(taps[i]) * scale);
                        for bits in three_of_four(taps) {
                            to += lanes;
                            packed[to] = f32::from_bits(bits);
                        }
                    }
                }
                to += block_len(order.len(), lanes);
            }
        }
    }

    /// Where the taps are in an output's row of the weights, in the order in which they are packed.
    fn order(&self) -> Vec<usize> {
        let lanes = self.x.lanes;
        let taps = self.spec.kernel[0] * self.spec.kernel[1];
        let blocks = 0..self.x.blocks();
        let positions = blocks.flat_map(|block| (0..taps).map(move |tap| (block, tap)));
        positions
            .flat_map(|(block, tap)| {
                (0..lanes).map(move |lane| (block * lanes + lane) * taps + tap)
            })
            .collect()
    }
}

/// What an integer of `section` is multiplied by, and what a weight is multiplied by to become one.
fn factor(section: &[f32]) -> (f32, f64) {
    let finite = section.iter().all(|weight| weight.is_finite());
    let greatest = section
        .iter()
        .fold(0.0, |greatest: f32, weight| greatest.max(weight.abs()));
    let factor = (f64::from(greatest) / GREATEST) as f32;
    match finite {
        false => (f32::NAN, 0.0),
        // All below 2^-95: a float has no room for the factor.
        true if factor < f32::MIN_POSITIVE => (0.0, 0.0),
        true => (factor, f64::from(factor).recip()),
    }
}

/// Four numbers in three of 32 bits, as [`Simd::unpack`](super::Simd::unpack) takes them apart.
fn three_of_four([a, b, c, d]: [f64; TAPS]) -> [u32; VECTORS] {
    let last = (d / 256.0).round() as i32;
    let [_, high, middle, low] = last.to_be_bytes();
    let with = |number: f64, byte: u8| {
        let upper = ((number - f64::from(byte)) / 256.0).round() as i32;
        (upper << 8).cast_unsigned() | u32::from(byte)
    };
    [with(a, high), with(b, middle), with(c, low)]
}
