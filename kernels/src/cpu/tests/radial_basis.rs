//! Radial basis functions (squared Euclidean distances) against the definition in `f64`.

use proptest::prelude::*;

use super::super::RadialBasis;
use super::test_map::{margins, shapes};
use super::{StepTest, TestMap, config, instruction_sets, random_values};
use crate::plan::Step;

proptest! {
    #![proptest_config(config())]

    /// The error bound is `inputs + 3` roundings: each square has twice the rounding of its
    /// difference and its own rounding, and the sum has one rounding per term.
    #[test]
    fn radial_basis_is_within_its_error_bound(
        shape in prop_oneof![shapes(), (1..=90_usize).prop_map(|channels| [channels, 1, 1])],
        outputs in 1..=37_usize,
        images in 1..=3_usize,
        margins in [margins(), margins()],
        planar: bool,
        seed in 0..u64::MAX - 9,
    ) {
        let inputs: usize = shape.iter().product();
        let x = random_values(seed, images * inputs);
        let centers = random_values(seed + 1, outputs * inputs);
        let expected: Vec<f64> = (0..images * outputs)
            .map(|at| {
                let (image, out) = (at / outputs, at % outputs);
                std::iter::zip(&x[image * inputs..][..inputs], &centers[out * inputs..][..inputs])
                    .map(|(x, c)| (f64::from(*x) - f64::from(*c)).powi(2))
                    .sum()
            })
            .collect();
        let mut input = TestMap::with_margins(shape, margins[0]);
        input.planar = planar;
        for (isa, lanes) in instruction_sets() {
            let test = StepTest {
                images,
                inputs: vec![(input, &x)],
                outputs: vec![TestMap::with_margins([outputs, 1, 1], margins[1])],
                weights: RadialBasis::packed_len(inputs, outputs, lanes),
                ..StepTest::new(isa)
            };
            let run = test.run(|layout, packed| {
                let step = RadialBasis::new(layout.inputs[0], layout.outputs[0], layout.weights);
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
