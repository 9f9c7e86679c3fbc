//! Steps that see all channels of a pixel, against their definitions in 64 bits.

use proptest::prelude::*;

use super::super::{Lrn, Softmax};
use super::places::{at, elements, place, shapes, surroundings};
use super::{Trial, config, instruction_sets, noise};
use crate::plan::Step;

proptest! {
    #![proptest_config(config())]

    /// Each square and sum is rounded once and counts 3/4 fold; the power is within 8 roundings, the
    /// product one more: `size + 10`.
    #[test]
    fn lrn_is_within_its_bound(
        shape in shapes(),
        images in 1..=3_usize,
        around in [surroundings(), surroundings()],
        size in prop_oneof![Just(5), 1..=40_usize],
        (alpha, k) in (0.0..0.5_f32, 0.5..2.0_f32),
        beta in prop_oneof![Just(0.75), 0.1..1.5_f32],
        seed in 0..u64::MAX - 9,
    ) {
        let x = noise(seed, images * shape.iter().product::<usize>());
        let expected: Vec<f64> = elements(images, shape)
            .map(|[n, c, row, column]| {
                let value = |c| f64::from(x[at(shape, n, c, row, column)]);
                let last = shape[0].min(c + (size - 1) / 2 + 1);
                let sum: f64 = (c.saturating_sub(size / 2)..last).map(|c| value(c).powi(2)).sum();
                value(c) / (f64::from(k) + f64::from(alpha) * sum).powf(beta.into())
            })
            .collect();
        for (isa, _) in instruction_sets() {
            let trial = Trial {
                images,
                inputs: vec![(place(shape, around[0]), &x)],
                outputs: vec![place(shape, around[1])],
                ..Trial::new(isa)
            };
            let run = trial.run(|maps, _| {
                Step::Lrn(Lrn::new(size, alpha, beta, k, maps.inputs[0], maps.outputs[0]))
            });
            for (y, expected) in run.maps[0].iter().zip(&expected) {
                let bound = (size + 10) as f64 * f64::from(f32::EPSILON) / 2.0 * expected.abs();
                let error = (f64::from(*y) - expected).abs();
                prop_assert!(error <= bound, "{y} on {isa}, expected {expected}");
            }
        }
    }

    /// The exponent `x - m` is rounded, which counts `|x - m|` fold; the power, the scale and the
    /// product are rounded once each.
    #[test]
    fn softmax_is_within_its_bound(
        shape in shapes(),
        images in 1..=3_usize,
        around in [surroundings(), surroundings()],
        scale in prop_oneof![Just(1.0_f32), 0.0..60.0_f32],
        shift in prop_oneof![Just(0.0_f32), -1e4..1e4_f32],
        seed in 0..u64::MAX - 9,
    ) {
        let mut x = noise(seed, images * shape.iter().product::<usize>());
        for x in &mut x {
            *x = *x * scale + shift;
        }
        let expected: Vec<(f64, f64)> = elements(images, shape)
            .map(|[n, c, row, column]| {
                let value = |c| f64::from(x[at(shape, n, c, row, column)]);
                let greatest = (0..shape[0]).map(value).fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = (0..shape[0]).map(|c| (value(c) - greatest).exp()).sum();
                let exponent = value(c) - greatest;
                // Both of this power and of those in the sum, of which the great ones count.
                let bound = 4.0 + 2.0 * exponent.abs().max(1.0);
                (exponent.exp() / sum, bound * f64::from(f32::EPSILON) / 2.0)
            })
            .collect();
        for (isa, _) in instruction_sets() {
            let trial = Trial {
                images,
                inputs: vec![(place(shape, around[0]), &x)],
                outputs: vec![place(shape, around[1])],
                ..Trial::new(isa)
            };
            let run = trial.run(|maps, _| {
                Step::Softmax(Softmax::new(maps.inputs[0], maps.outputs[0]))
            });
            for (y, (expected, bound)) in run.maps[0].iter().zip(&expected) {
                let error = (f64::from(*y) - expected).abs();
                let bound = bound * expected + f64::from(f32::MIN_POSITIVE);
                prop_assert!(error <= bound, "{y} on {isa}, expected {expected}");
            }
        }
    }
}
