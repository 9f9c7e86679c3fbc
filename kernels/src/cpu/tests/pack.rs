//! Weights packed by several threads from a view, against weights packed by one thread.

use proptest::prelude::*;

use super::super::{
    Activation, Border, ConvSpec, Direct, Kernels, Map, Output, Winograd, WinogradTile,
};
use super::{config, instruction_sets, random_values};
use crate::cpu::Taps;

/// Returns `weights`, `[out, in, taps]`, with input and output channels exchanged and taps
/// reversed.
fn transpose(weights: &[f32], [outs, channels, taps]: [usize; 3]) -> Vec<f32> {
    let mut transposed = vec![0.0; weights.len()];
    for (at, &weight) in weights.iter().enumerate() {
        let [out, channel, tap] = [at / taps / channels, at / taps % channels, at % taps];
        transposed[(channel * outs + out) * taps + taps - 1 - tap] = weight;
    }
    transposed
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn parallel_packing_from_a_view_gives_the_same_weights(
        [channels_in, channels_out] in [1_usize..40, 1_usize..100],
        kernel in [1_usize..6, 1_usize..6],
        (tile, is_transposed, bias) in (0_usize..4, any::<bool>(), any::<bool>()),
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
        let weights = random_values(seed, spec.weights());
        let bias = bias.then(|| random_values(seed + 1, channels_out));
        // The caller's array, and the view of the array that shows `weights`: the array is either
        // `weights` or the transpose.
        let (values, taps) = match is_transposed {
            false => (weights.clone(), Taps::new(&spec, &[])),
            true => {
                let transposed_spec = ConvSpec {
                    channels_in: channels_out,
                    channels_out: channels_in,
                    ..spec
                };
                let values = transpose(&weights, [channels_out, channels_in, count]);
                (values, Taps::new(&transposed_spec, &[]).transposed())
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
            let (serial, parallel) = match tile {
                Some(tile) => {
                    let step = Winograd::new(tile, spec, x, output, 3, kernels.blocking);
                    let len = 3 + Winograd::packed_len(tile, &spec, lanes);
                    let (mut serial, mut parallel) = (vec![7.0; len], vec![7.0; len]);
                    step.pack(&weights, bias, &mut serial);
                    step.pack_once(2, kernels, &taps, bias, &mut parallel);
                    (serial, parallel)
                }
                None => {
                    let step = Direct::new(spec, x, output, 3);
                    let len = 3 + Direct::packed_len(&spec, x_lanes, lanes);
                    let (mut serial, mut parallel) = (vec![7.0; len], vec![7.0; len]);
                    step.pack(&weights, bias, &mut serial);
                    step.pack_once(2, kernels, &taps, bias, &mut parallel);
                    (serial, parallel)
                }
            };
            // The two functions may round the sums of 9 or 25 terms of Winograd's weight transform
            // differently.
            let tolerance = if tile.is_some() { 2e-6 } else { 0.0 };
            for (at, (a, b)) in serial.iter().zip(&parallel).enumerate() {
                prop_assert!((a - b).abs() <= tolerance, "{isa}: {a} and {b} at index {at}");
            }
        }
    }
}
