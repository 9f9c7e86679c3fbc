//! Activations against 64 bits, over all of their domain.

use super::super::{Activation, Unary};
use super::{Place, Trial, instruction_sets};
use crate::plan::Step;

/// `activation` of `values`, on every instruction set.
fn apply(activation: Activation, values: &[f32]) -> Vec<Vec<f32>> {
    instruction_sets()
        .map(|(isa, lanes)| {
            let place = Place::new([lanes, 1, values.len() / lanes]);
            let trial = Trial {
                inputs: vec![(place, values)],
                outputs: vec![place],
                ..Trial::new(isa)
            };
            let mut run = trial.run(|maps, _| {
                Step::Unary(Unary::new(maps.inputs[0], maps.outputs[0], activation))
            });
            run.maps.remove(0)
        })
        .collect()
}

/// Floats of both signs, evenly spread over their bits.
fn floats(count: usize) -> Vec<f32> {
    let step = (1 << 31) / (count / 2);
    (0..count as u32 / 2)
        .flat_map(|i| {
            let x = f32::from_bits((i * step as u32 + i % 991) % f32::INFINITY.to_bits());
            [x, -x]
        })
        .collect()
}

/// One in the last place of `x` as a 32-bit float.
fn unit(x: f64) -> f64 {
    let bits = (x.abs() as f32).to_bits();
    f64::from(f32::from_bits(bits + 1)) - f64::from(f32::from_bits(bits))
}

#[test]
fn tanh_is_within_its_bound() {
    let values = floats(1 << 18);
    for result in apply(Activation::Tanh, &values) {
        for (x, y) in values.iter().zip(result) {
            let expected = f64::from(*x).tanh();
            let error = (f64::from(y) - expected).abs();
            let bound = (5.5 * unit(expected)).min(2e-7);
            assert!(
                error <= bound,
                "tanh({x:e}) is {y:e}, expected {expected:e}"
            );
            assert!(y.abs() <= 1.0);
        }
    }
}

#[test]
fn sigmoid_is_within_its_bound() {
    let values = floats(1 << 18);
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
fn special_values() {
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
    for (activation, first) in [
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
            assert_eq!(result[..first.len()], *first, "{activation:?}");
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
