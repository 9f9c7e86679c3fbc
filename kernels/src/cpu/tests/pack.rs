//! Weights that are packed in every step, against those that are packed once.

use proptest::prelude::*;

use super::super::{
    Activation, Border, ConvSpec, Direct, Kernels, Map, Output, Winograd, WinogradTile,
};
use super::{config, instruction_sets, noise};
use crate::cpu::Taps;

/// `weights`, `[out, in, taps]`, with channels exchanged and taps reversed.
fn turned(weights: &[f32], [outs, channels, taps]: [usize; 3]) -> Vec<f32> {
    let mut to = vec![0.0; weights.len()];
    for (at, &weight) in weights.iter().enumerate() {
        let [out, channel, tap] = [at / taps / channels, at / taps % channels, at % taps];
        to[(channel * outs + out) * taps + taps - 1 - tap] = weight;
    }
    to
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn are_the_same(
        [channels_in, channels_out] in [1_usize..40, 1_usize..100],
        kernel in [1_usize..6, 1_usize..6],
        (tile, is_turned, bias) in (0_usize..4, any::<bool>(), any::<bool>()),
        seed in 0_u64..1000,
    ) {
        let tiles = [WinogradTile::Two, WinogradTile::Four, WinogradTile::TwoOfFive];
        let tile = tiles.get(tile).copied();
        let spec = ConvSpec {
            channels_in,
            channels_out,
            kernel: tile.map_or(kernel, |tile| [tile.kernel(); 2]),
            stride: [1, 1],
            padding: Border::default(),
            dilation: [1, 1],
            groups: 1,
        };
        let count = spec.kernel[0] * spec.kernel[1];
        let weights = noise(seed, spec.weights());
        let bias = bias.then(|| noise(seed + 1, channels_out));
        // What the caller has: these, or those of which these are the turned.
        let (values, taps) = match is_turned {
            false => (weights.clone(), Taps::new(&spec, &[])),
            true => {
                let other = ConvSpec {
                    channels_in: channels_out,
                    channels_out: channels_in,
                    ..spec
                };
                let values = turned(&weights, [channels_out, channels_in, count]);
                (values, Taps::new(&other, &[]).transposed())
            }
        };
        let taps = Taps { values: &values, ..taps };
        for (isa, lanes) in instruction_sets() {
            let kernels = Kernels::get(isa);
            let planar = tile.is_none() && channels_in < lanes;
            let size = [9, 9];
            let x_lanes = if planar { 1 } else { lanes };
            let x = Map::new([channels_in, size[0], size[1]], Border::default(), x_lanes, 0);
            let [height, width] = spec.output(size);
            let y = Map::new([channels_out, height, width], Border::default(), lanes, 0);
            let output = Output { y, residual: None, activation: Activation::Identity };
            let bias = bias.as_deref();
            let (once, each_time) = match tile {
                Some(tile) => {
                    let step = Winograd::new(tile, spec, x, output, 3, kernels.blocking);
                    let len = 3 + Winograd::packed_len(tile, &spec, lanes);
                    let (mut once, mut each_time) = (vec![7.0; len], vec![7.0; len]);
                    step.pack(&weights, bias, &mut once);
                    step.pack_once(2, kernels, &taps, bias, &mut each_time);
                    (once, each_time)
                }
                None => {
                    let step = Direct::new(spec, x, output, 3);
                    let len = 3 + Direct::packed_len(&spec, x_lanes, lanes);
                    let (mut once, mut each_time) = (vec![7.0; len], vec![7.0; len]);
                    step.pack(&weights, bias, &mut once);
                    step.pack_once(2, kernels, &taps, bias, &mut each_time);
                    (once, each_time)
                }
            };
            // Winograd's transform rounds its sums of nine or twenty-five.
            let tolerance = if tile.is_some() { 2e-6 } else { 0.0 };
            for (at, (a, b)) in once.iter().zip(&each_time).enumerate() {
                prop_assert!((a - b).abs() <= tolerance, "{}: {} and {} at {}", isa, a, b, at);
            }
        }
    }
}
