//! Packing of 24-bit weights.

use super::{FullyConnected, block_len};
use crate::cpu::micro::fully_connected::{SCALE_GROUP, TAPS, VECTORS};

/// Largest magnitude of a weight in the units of
/// [`Simd::unpack`](crate::cpu::micro::simd::Simd::unpack), so that rounding stays within 32 bits.
const MAX_INTEGER: f64 = (i32::MAX - 512) as f64;

impl FullyConnected {
    /// Packs `weights`, `[out, in, height, width]`, and `bias`. An output with a weight that is not
    /// finite becomes NaN.
    pub fn pack(&self, weights: &[f32], bias: Option<&[f32]>, packed: &mut [f32]) {
        let lanes = self.output.y.lanes;
        let depth = self.depth();
        let order = self.order();
        let mut group = [0.0; SCALE_GROUP];
        for block in 0..self.output.y.blocks() {
            let [biases, mut to] = self.packed(block);
            let outs = block * lanes..(block + 1) * lanes;
            for (lane, out) in outs.clone().enumerate() {
                let bias = bias.and_then(|bias| bias.get(out));
                packed[biases + lane] = bias.copied().unwrap_or(0.0);
            }
            for order in order.chunks(SCALE_GROUP) {
                let group = &mut group[..order.len()];
                for (lane, out) in outs.clone().enumerate() {
                    for (weight, &tap) in group.iter_mut().zip(order) {
                        *weight = weights.get(out * depth + tap).copied().unwrap_or(0.0);
                    }
                    let (factor, scale) = factor(group);
                    let mut to = to + lane;
                    packed[to] = factor;
                    for taps in group.chunks_exact(TAPS) {
                        let taps = std::array::from_fn(|i| f64::from(taps[i]) * scale);
                        for bits in pack_four_in_three(taps) {
                            to += lanes;
                            packed[to] = f32::from_bits(bits);
                        }
                    }
                }
                to += block_len(order.len(), lanes);
            }
        }
    }

    /// Offset of each tap in an output's row of weights, in packed order.
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

/// Scale factor of `group`, and the number that its weights are multiplied by to become integers.
fn factor(group: &[f32]) -> (f32, f64) {
    let finite = group.iter().all(|weight| weight.is_finite());
    let max = group
        .iter()
        .fold(0.0, |max: f32, weight| max.max(weight.abs()));
    let factor = (f64::from(max) / MAX_INTEGER) as f32;
    match finite {
        false => (f32::NAN, 0.0),
        // All weights are below 2^-95: the factor would be subnormal.
        true if factor < f32::MIN_POSITIVE => (0.0, 0.0),
        true => (factor, f64::from(factor).recip()),
    }
}

/// Packs four numbers into three 32-bit integers, the inverse of
/// [`Simd::unpack`](crate::cpu::micro::simd::Simd::unpack).
fn pack_four_in_three([a, b, c, d]: [f64; TAPS]) -> [u32; VECTORS] {
    let last = (d / 256.0).round() as i32;
    let [_, high, middle, low] = last.to_be_bytes();
    let with = |number: f64, byte: u8| {
        let upper = ((number - f64::from(byte)) / 256.0).round() as i32;
        (upper << 8).cast_unsigned() | u32::from(byte)
    };
    [with(a, high), with(b, middle), with(c, low)]
}
