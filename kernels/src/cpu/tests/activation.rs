//! Activation functions against references in `f64`, over their whole domain.

use super::super::{Activation, Unary};
use super::{StepTest, TestMap, instruction_sets};
use crate::plan::Step;

/// Returns `activation` of `values` on every instruction set.
fn apply(activation: Activation, values: &[f32]) -> Vec<Vec<f32>> {
    instruction_sets()
        .map(|(isa, lanes)| {
            let map = TestMap::new([lanes, 1, values.len() / lanes]);
            let test = StepTest {
                inputs: vec![(map, values)],
                outputs: vec![map],
                ..StepTest::new(isa)
            };
            let mut run = test.run(|layout, _| {
                Step::Unary(Unary::new(layout.inputs[0], layout.outputs[0], activation))
            });
            run.maps.remove(0)
        })
        .collect()
}

/// Returns `count` finite floats of both signs, evenly distributed over all bit patterns.
fn finite_floats(count: usize) -> Vec<f32> {
    let step = (1 << 31) / (count / 2);
    (0..count as u32 / 2)
        .flat_map(|i| {
            let x = f32::from_bits((i * step as u32 + i % 991) % f32::INFINITY.to_bits());
            [x, -x]
        })
        .collect()
}

/// Unit in the last place (ULP) of `x` as an `f32`.
fn ulp(x: f64) -> f64 {
    let bits = (x.abs() as f32).to_bits();
    f64::from(f32::from_bits(bits + 1)) - f64::from(f32::from_bits(bits))
}

#[test]
fn tanh_is_within_its_error_bound() {
    let values = finite_floats(1 << 18);
    for result in apply(Activation::Tanh, &values) {
        for (x, y) in values.iter().zip(result) {
            let expected = f64::from(*x).tanh();
            let error = (f64::from(y) - expected).abs();
            let bound = (5.5 * ulp(expected)).min(2e-7);
            assert!(
                error <= bound,
                "tanh({x:e}) is {y:e}, expected {expected:e}"
            );
            assert!(y.abs() <= 1.0);
        }
    }
}

#[test]
fn sigmoid_is_within_its_error_bound() {
    let values = finite_floats(1 << 18);
    for result in apply(Activation::Sigmoid, &values) {
        for (x, y) in values.iter().zip(result) {
            let expected = 1.0 / (1.0 + (-f64::from(*x)).exp());
            let error = (f64::from(y) - expected).abs();
            assert!(
                error <= 1.5e-7,
                "sigmoid({x:e}) is {y:e}, expected {expected:e}"
            );
            assert!((0.0..=1.0).contains(&y));
        }
    }
}

#[test]
fn special_values_have_exact_results() {
    let inf = f32::INFINITY;
    let mut values = [
        -inf,
        inf,
        -0.0,
        0.0,
        f32::MIN_POSITIVE / 8.0,
        -9.0,
        9.0,
        1e30,
    ]
    .to_vec();
    values.resize(16, 0.5);
    for (activation, expected) in [
        (
            Activation::Tanh,
            &[-1.0, 1.0, -0.0, 0.0, f32::MIN_POSITIVE / 8.0][..],
        ),
        (Activation::Sigmoid, &[0.0, 1.0, 0.5, 0.5, 0.5]),
        (
            Activation::Relu,
            &[0.0, inf, 0.0, 0.0, f32::MIN_POSITIVE / 8.0],
        ),
        (
            Activation::Clamp {
                low: 0.0,
                high: 6.0,
            },
            &[0.0, 6.0, 0.0, 0.0],
        ),
    ] {
        for result in apply(activation, &values) {
            assert_eq!(result[..expected.len()], *expected, "{activation:?}");
        }
    }
    for activation in [
        Activation::Identity,
        Activation::Relu,
        Activation::Clamp {
            low: 0.0,
            high: 6.0,
        },
        Activation::Tanh,
        Activation::Sigmoid,
    ] {
        for result in apply(activation, &[f32::NAN; 16]) {
            assert!(result.iter().all(|x| x.is_nan()), "{activation:?} of NaN");
        }
    }
}
