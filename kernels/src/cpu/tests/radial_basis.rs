//! Radial basis functions against the definition in 64 bits.

use proptest::prelude::*;

use super::super::RadialBasis;
use super::places::{place, shapes, surroundings};
use super::{Trial, config, instruction_sets, noise};
use crate::plan::Step;

proptest! {
    #![proptest_config(config())]

    /// Within `inputs + 3` roundings: every square twice that of its difference and its own, the sum
    /// once for each.
    #[test]
    fn radial_basis_is_within_its_bound(
        shape in prop_oneof![shapes(), (1..=90_usize).prop_map(|channels| [channels, 1, 1])],
        outputs in 1..=37_usize,
        images in 1..=3_usize,
        around in [surroundings(), surroundings()],
        planar: bool,
        seed in 0..u64::MAX - 9,
    ) {
        let inputs: usize = shape.iter().product();
        let x = noise(seed, images * inputs);
        let centers = noise(seed + 1, outputs * inputs);
        let expected: Vec<f64> = (0..images * outputs)
            .map(|at| {
                let (image, out) = (at / outputs, at % outputs);
                std::iter::zip(&x[image * inputs..][..inputs], &centers[out * inputs..][..inputs])
                    .map(|(x, c)| (f64::from(*x) - f64::from(*c)).powi(2))
                    .sum()
            })
            .collect();
        let mut input = place(shape, around[0]);
        input.planar = planar;
        for (isa, lanes) in instruction_sets() {
            let trial = Trial {
                images,
                inputs: vec![(input, &x)],
                outputs: vec![place([outputs, 1, 1], around[1])],
                weights: RadialBasis::packed_len(inputs, outputs, lanes),
                ..Trial::new(isa)
            };
            let run = trial.run(|maps, packed| {
                let step = RadialBasis::new(maps.inputs[0], maps.outputs[0], maps.weights);
                step.pack(&centers, packed);
                Step::RadialBasis(step)
            });
            for (y, expected) in run.maps[0].iter().zip(&expected) {
                let bound = (inputs + 3) as f64 * f64::from(f32::EPSILON) / 2.0 * expected;
                let error = (f64::from(*y) - expected).abs();
                prop_assert!(error <= bound, "{y} on {isa}, expected {expected}");
            }
        }
    }
}
