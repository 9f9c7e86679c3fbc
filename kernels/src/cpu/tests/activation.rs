//! Activation functions against references in `f64`, over their whole domain.

use super::super::{Activation, Algorithm, ConvSpec, Isa, Unary};
use super::conv_problem::{ConvProblem, activate};
use super::{StepTest, TestMap, instruction_sets};
use crate::plan::Step;

/// All activations.
const ALL: [Activation; 11] = [
    Activation::Identity,
    Activation::Relu,
    Activation::Clamp {
        low: 0.0,
        high: 6.0,
    },
    Activation::Tanh,
    Activation::Sigmoid,
    Activation::LeakyRelu { slope: 0.1 },
    Activation::LeakyRelu { slope: -0.5 },
    Activation::HardSigmoid {
        alpha: 0.2,
        beta: 0.5,
    },
    Activation::HardSwish,
    Activation::Silu,
    Activation::Gelu,
];

/// Returns `activation` of `values` on every instruction set.
fn apply(activation: Activation, values: &[f32]) -> Vec<Vec<f32>> {
    instruction_sets()
        .map(|(isa, lanes)| apply_on(isa, lanes, activation, values))
        .collect()
}

/// Returns `activation` of `values`, whose number is a multiple of the lanes.
fn apply_on(isa: Isa, lanes: usize, activation: Activation, values: &[f32]) -> Vec<f32> {
    let map = TestMap::new([lanes, 1, values.len() / lanes]);
    let test = StepTest {
        inputs: vec![(map, values)],
        outputs: vec![map],
        ..StepTest::new(isa)
    };
    let mut run = test
        .run(|layout, _| Step::Unary(Unary::new(layout.inputs[0], layout.outputs[0], activation)));
    run.maps.remove(0)
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

/// The error of `f32` arithmetic is a fraction of the larger of 1 and the argument.
#[test]
fn activations_are_within_their_error_bounds() {
    let mut values = finite_floats(1 << 16);
    values.retain(|x| x.abs() < 1e30);
    values.extend((0..1 << 16).map(|i| (i - (1 << 15)) as f32 / 2048.0));
    values.resize(values.len().next_multiple_of(16), 0.0);
    for activation in ALL {
        let bound = match activation {
            Activation::Identity | Activation::Relu | Activation::Clamp { .. } => 0.0,
            Activation::LeakyRelu { .. } => 6e-8,
            Activation::HardSigmoid { .. } | Activation::HardSwish => 2e-7,
            Activation::Gelu => 3e-7,
            _ => 2.5e-7,
        };
        for result in apply(activation, &values) {
            for (x, y) in values.iter().zip(result) {
                let x = f64::from(*x);
                let expected = activate(activation, x);
                let error = (f64::from(y) - expected).abs();
                assert!(
                    error <= bound * x.abs().max(1.0),
                    "{activation:?} of {x:e} is {y:e}, expected {expected:e}"
                );
            }
        }
    }
}

#[test]
fn monotone_activations_never_decrease() {
    let values: Vec<f64> = (-4000..=4000).map(|i| f64::from(i) / 400.0).collect();
    for activation in ALL {
        let results = values.iter().map(|x| activate(activation, *x));
        assert_eq!(
            results.is_sorted(),
            activation.is_monotone(),
            "{activation:?}"
        );
    }
}

/// Every algorithm fuses every activation: the bits are those of a convolution and a separate
/// activation.
#[test]
fn fused_activations_have_the_bits_of_separate_ones() {
    let pointwise = ConvSpec {
        channels_in: 32,
        channels_out: 40,
        kernel: [1, 1],
        stride: [1, 1],
        padding: Default::default(),
        dilation: [1, 1],
        groups: 1,
    };
    let three = ConvSpec {
        kernel: [3, 3],
        ..pointwise
    };
    let depthwise = ConvSpec {
        channels_out: 32,
        groups: 32,
        ..three
    };
    for (spec, size) in [
        (pointwise, [1, 1]),
        (pointwise, [5, 9]),
        (three, [9, 12]),
        (depthwise, [7, 9]),
    ] {
        let out = spec.output(size);
        for (isa, lanes) in instruction_sets() {
            for algorithm in Algorithm::candidates(&spec, out, false) {
                let border = algorithm.border(&spec, out);
                let run = |activation: Activation| {
                    let problem = ConvProblem {
                        activation,
                        ..ConvProblem::new(spec, size)
                    };
                    let map = |shape| TestMap::new(shape).wider_map_and_slice(lanes, 1, 0)[1];
                    let [height, width] = size;
                    let x = map([spec.channels_in, height, width]);
                    let y = map([spec.channels_out, out[0], out[1]]);
                    let y = super::super::Output {
                        y,
                        residual: None,
                        activation,
                    };
                    let (_, len) = Step::convolution(algorithm, spec, x, y, 0, isa);
                    problem.run(isa, len, border, |args, packed| {
                        let x = args.layout.inputs[0];
                        let from = args.layout.weights;
                        let (step, _) =
                            Step::convolution(algorithm, spec, x, args.output, from, isa);
                        step.pack(args.weights, args.bias, packed);
                        step
                    })
                };
                let mut sums = run(Activation::Identity);
                let len = sums.len();
                sums.resize(len.next_multiple_of(lanes), 0.0);
                for activation in ALL {
                    let fused = run(activation);
                    let separate = apply_on(isa, lanes, activation, &sums);
                    assert_eq!(
                        fused[..],
                        separate[..len],
                        "{activation:?}, {algorithm:?} on {isa}"
                    );
                }
            }
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
        (Activation::LeakyRelu { slope: 0.5 }, &[-inf, inf, 0.0, 0.0]),
        (
            Activation::HardSigmoid {
                alpha: 0.5,
                beta: 0.25,
            },
            &[0.0, 1.0, 0.25, 0.25],
        ),
    ] {
        for result in apply(activation, &values) {
            assert_eq!(result[..expected.len()], *expected, "{activation:?}");
        }
    }
    for activation in ALL {
        for result in apply(activation, &[f32::NAN; 16]) {
            assert!(result.iter().all(|x| x.is_nan()), "{activation:?} of NaN");
        }
    }
}
