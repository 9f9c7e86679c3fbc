//! Functions against references in `f64`.

use proptest::prelude::*;

use super::super::{Apply, Function};
use super::conv_problem::erf;
use super::test_map::{margins, shapes};
use super::{StepTest, TestMap, config, instruction_sets, random_values};
use crate::plan::Step;

const ALL: [Function; 21] = [
    Function::Elu { alpha: 0.75 },
    Function::Selu {
        alpha: 1.673_263_2,
        scale: 1.050_701,
    },
    Function::Celu { alpha: 1.5 },
    Function::ThresholdedRelu { alpha: 0.25 },
    Function::Mish,
    Function::Softplus,
    Function::Softsign,
    Function::GeluTanh,
    Function::Erf,
    Function::Exp,
    Function::Ln,
    Function::Sqrt,
    Function::Abs,
    Function::Neg,
    Function::Reciprocal,
    Function::Sign,
    Function::Floor,
    Function::Ceil,
    Function::Round,
    Function::Sin,
    Function::Cos,
];

/// The function in `f64`.
fn apply(function: Function, x: f64) -> f64 {
    let elu = |x: f64, alpha: f64| if x > 0.0 { x } else { alpha * x.exp_m1() };
    match function {
        Function::Elu { alpha } => elu(x, alpha.into()),
        Function::Selu { alpha, scale } => f64::from(scale) * elu(x, alpha.into()),
        Function::Celu { alpha } => {
            let alpha = f64::from(alpha);
            if x > 0.0 {
                x
            } else {
                alpha * (x / alpha).exp_m1()
            }
        }
        Function::ThresholdedRelu { alpha } => {
            if x <= alpha.into() {
                0.0
            } else {
                x
            }
        }
        Function::Mish => x * x.exp().ln_1p().tanh(),
        Function::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        Function::Softsign => x / (1.0 + x.abs()),
        Function::GeluTanh => {
            let z = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
            x / (1.0 + (-2.0 * z).exp())
        }
        Function::Erf => erf(x),
        Function::Exp => x.exp(),
        Function::Ln => x.ln(),
        Function::Sqrt => x.sqrt(),
        Function::Abs => x.abs(),
        Function::Neg => -x,
        Function::Reciprocal => 1.0 / x,
        Function::Sign => {
            if x == 0.0 || x.is_nan() {
                x
            } else {
                x.signum()
            }
        }
        Function::Floor => x.floor(),
        Function::Ceil => x.ceil(),
        Function::Round => x.round_ties_even(),
        Function::Sin => x.sin(),
        Function::Cos => x.cos(),
    }
}

/// The function on every instruction set, in a blocked and in a planar map.
fn results(function: Function, values: &[f32]) -> Vec<Vec<f32>> {
    let mut all = Vec::new();
    for (isa, lanes) in instruction_sets() {
        for planar in [false, true] {
            let map = TestMap {
                planar,
                ..TestMap::new([lanes, 1, values.len() / lanes])
            };
            let test = StepTest {
                inputs: vec![(map, values)],
                outputs: vec![map],
                ..StepTest::new(isa)
            };
            let mut run = test.run(|layout, _| {
                Step::Apply(Apply::new(layout.inputs[0], layout.outputs[0], function))
            });
            all.push(run.maps.remove(0));
        }
    }
    all
}

/// An error may be `1e-6` of the result, or correspond to a change of `x` by `1e-6` of its size.
#[test]
fn functions_are_within_their_error_bound() {
    let mut values: Vec<f32> = random_values(1, 4096).iter().map(|x| 12.0 * x).collect();
    values.extend(random_values(2, 4096));
    values.extend(random_values(3, 1024).iter().map(|x| 1e-3 * x));
    values.extend((0..1024).map(|i| (i as f32 - 512.0) / 4.0));
    for function in ALL {
        for result in results(function, &values) {
            for (x, y) in values.iter().zip(result) {
                let (x, y) = (f64::from(*x), f64::from(y));
                let expected = apply(function, x);
                if expected.is_nan() {
                    assert!(y.is_nan(), "{function:?} of {x}");
                    continue;
                }
                if !expected.is_finite() || expected.abs() > f64::from(f32::MAX) {
                    assert_eq!(y, f64::from(expected as f32), "{function:?} of {x}");
                    continue;
                }
                let is_step = matches!(
                    function,
                    Function::Sign
                        | Function::Floor
                        | Function::Ceil
                        | Function::Round
                        | Function::ThresholdedRelu { .. }
                );
                let slope = match is_step {
                    true => 0.0,
                    false => {
                        let change = 1e-6 * x.abs();
                        (apply(function, x + change) - expected)
                            .abs()
                            .max((apply(function, x - change) - expected).abs())
                    }
                };
                let slope = if slope.is_nan() { 0.0 } else { slope };
                let bound = 1e-6 * expected.abs() + slope + 1e-37;
                let error = (y - expected).abs();
                assert!(
                    error <= bound,
                    "{function:?} of {x} is {y}, expected {expected}"
                );
            }
        }
    }
}

#[test]
fn special_values_have_exact_results() {
    let inf = f32::INFINITY;
    let mut values = [0.0, inf, -inf, f32::NAN, 88.0, -88.0, 0.5, -0.5, 1.5, 2.5].to_vec();
    values.resize(16, 0.5);
    for (function, expected) in [
        (Function::Elu { alpha: 0.5 }, &[0.0, inf, -0.5][..]),
        (Function::Softplus, &[2.0_f32.ln(), inf, 0.0]),
        (Function::Erf, &[0.0, 1.0, -1.0]),
        (Function::Sign, &[0.0, 1.0, -1.0]),
        (Function::Exp, &[1.0, inf, 0.0]),
        (Function::Ln, &[-inf, inf]),
        (Function::Reciprocal, &[inf, 0.0, 0.0]),
        (Function::Mish, &[0.0, inf]),
        (Function::GeluTanh, &[0.0, inf]),
        (Function::ThresholdedRelu { alpha: 1.0 }, &[0.0, inf, 0.0]),
    ] {
        for result in results(function, &values) {
            assert_eq!(result[..expected.len()], *expected, "{function:?}");
        }
    }
    for result in results(Function::Round, &values) {
        assert_eq!(result[6..10], [0.0, -0.0, 2.0, 2.0]);
    }
    for function in ALL {
        for result in results(function, &values) {
            assert!(result[3].is_nan(), "{function:?} of NaN is {}", result[3]);
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn apply_writes_every_element(
        shape in shapes(),
        images in 1..=3_usize,
        margins in [margins(), margins()],
        planar: bool,
        function in prop::sample::select(vec![Function::Neg, Function::Erf, Function::Ln]),
        seed in 0..u64::MAX - 9,
    ) {
        let mut x = random_values(seed, images * shape.iter().product::<usize>());
        x.iter_mut().for_each(|x| *x = x.abs() + 0.25);
        let maps = margins.map(|margins| TestMap {
            planar,
            ..TestMap::with_margins(shape, margins)
        });
        for (isa, _) in instruction_sets() {
            let test = StepTest {
                images,
                inputs: vec![(maps[0], &x)],
                outputs: vec![maps[1]],
                ..StepTest::new(isa)
            };
            let run = test.run(|layout, _| {
                Step::Apply(Apply::new(layout.inputs[0], layout.outputs[0], function))
            });
            for (x, y) in x.iter().zip(&run.maps[0]) {
                let expected = apply(function, f64::from(*x));
                prop_assert!((f64::from(*y) - expected).abs() <= 1e-6, "{function:?} of {x}");
            }
        }
    }
}
