//! Local response normalization and softmax, which read all channels of a pixel, against the
//! definitions in `f64`.

use proptest::prelude::*;

use super::super::{Lrn, Softmax};
use super::test_map::{margins, nchw_indices, nchw_offset, shapes};
use super::{StepTest, TestMap, config, instruction_sets, random_values};
use crate::plan::Step;

proptest! {
    #![proptest_config(config())]

    /// The error bound is `size + 10` roundings: each square and each sum is rounded once and has a
    /// weight of 3/4 in the result, the power is within 8 roundings, and the product is rounded
    /// once.
    #[test]
    fn lrn_is_within_its_error_bound(
        shape in shapes(),
        images in 1..=3_usize,
        margins in [margins(), margins()],
        size in prop_oneof![Just(5), 1..=40_usize],
        (alpha, k) in (0.0..0.5_f32, 0.5..2.0_f32),
        beta in prop_oneof![Just(0.75), 0.1..1.5_f32],
        seed in 0..u64::MAX - 9,
    ) {
        let x = random_values(seed, images * shape.iter().product::<usize>());
        let expected: Vec<f64> = nchw_indices(images, shape)
            .map(|[n, c, row, column]| {
                let value = |c| f64::from(x[nchw_offset(shape, n, c, row, column)]);
                let last = shape[0].min(c + (size - 1) / 2 + 1);
                let sum: f64 = (c.saturating_sub(size / 2)..last).map(|c| value(c).powi(2)).sum();
                value(c) / (f64::from(k) + f64::from(alpha) * sum).powf(beta.into())
            })
            .collect();
        for (isa, _) in instruction_sets() {
            let test = StepTest {
                images,
                inputs: vec![(TestMap::with_margins(shape, margins[0]), &x)],
                outputs: vec![TestMap::with_margins(shape, margins[1])],
                ..StepTest::new(isa)
            };
            let run = test.run(|layout, _| {
                Step::Lrn(Lrn::new(size, alpha, beta, k, layout.inputs[0], layout.outputs[0]))
            });
            for (y, expected) in run.maps[0].iter().zip(&expected) {
                let bound = (size + 10) as f64 * f64::from(f32::EPSILON) / 2.0 * expected.abs();
                let error = (f64::from(*y) - expected).abs();
                prop_assert!(error <= bound, "{y} on {isa}, expected {expected}");
            }
        }
    }

    /// The rounding of the exponent `x - max` has a weight of `|x - max|` in the result. The power,
    /// the scale and the product are rounded once each.
    #[test]
    fn softmax_is_within_its_error_bound(
        shape in shapes(),
        images in 1..=3_usize,
        margins in [margins(), margins()],
        scale in prop_oneof![Just(1.0_f32), 0.0..60.0_f32],
        shift in prop_oneof![Just(0.0_f32), -1e4..1e4_f32],
        seed in 0..u64::MAX - 9,
    ) {
        let mut x = random_values(seed, images * shape.iter().product::<usize>());
        for x in &mut x {
            *x = *x * scale + shift;
        }
        let expected: Vec<(f64, f64)> = nchw_indices(images, shape)
            .map(|[n, c, row, column]| {
                let value = |c| f64::from(x[nchw_offset(shape, n, c, row, column)]);
                let max = (0..shape[0]).map(value).fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = (0..shape[0]).map(|c| (value(c) - max).exp()).sum();
                let exponent = value(c) - max;
                // The bound covers the error of this power and the error of the sum, in which the
                // largest powers dominate.
                let bound = 4.0 + 2.0 * exponent.abs().max(1.0);
                (exponent.exp() / sum, bound * f64::from(f32::EPSILON) / 2.0)
            })
            .collect();
        for (isa, _) in instruction_sets() {
            let test = StepTest {
                images,
                inputs: vec![(TestMap::with_margins(shape, margins[0]), &x)],
                outputs: vec![TestMap::with_margins(shape, margins[1])],
                ..StepTest::new(isa)
            };
            let run = test.run(|layout, _| {
                Step::Softmax(Softmax::new(layout.inputs[0], layout.outputs[0]))
            });
            for (y, (expected, bound)) in run.maps[0].iter().zip(&expected) {
                let error = (f64::from(*y) - expected).abs();
                let bound = bound * expected + f64::from(f32::MIN_POSITIVE);
                prop_assert!(error <= bound, "{y} on {isa}, expected {expected}");
            }
        }
    }
}
