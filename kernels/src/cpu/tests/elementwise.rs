//! Elementwise steps, whose results are exact.

use proptest::prelude::*;

use super::super::{Activation, Binary, BinaryOp, Output, Unary};
use super::test_map::{margins, shapes};
use super::{StepTest, TestMap, config, instruction_sets, random_values};
use crate::plan::Step;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn unary_is_exact(
        shape in shapes(),
        images in 1..=3_usize,
        margins in [margins(), margins()],
        seed in 0..u64::MAX - 9,
    ) {
        let x = random_values(seed, images * shape.iter().product::<usize>());
        let expected: Vec<f32> = x.iter().map(|x| x.clamp(-0.25, 0.75)).collect();
        for (isa, _) in instruction_sets() {
            let test = StepTest {
                images,
                inputs: vec![(TestMap::with_margins(shape, margins[0]), &x)],
                outputs: vec![TestMap::with_margins(shape, margins[1])],
                ..StepTest::new(isa)
            };
            let run = test.run(|layout, _| {
                let activation = Activation::Clamp { low: -0.25, high: 0.75 };
                Step::Unary(Unary::new(layout.inputs[0], layout.outputs[0], activation))
            });
            prop_assert_eq!(&run.maps[0], &expected);
        }
    }

    /// `b` has the shape of the output, or is one number for each channel. The power is computed by
    /// the same function as here, and the others have exact results.
    #[test]
    fn binary_is_exact(
        shape in shapes(),
        images in 1..=3_usize,
        margins in [margins(), margins(), margins()],
        relu: bool,
        constant: bool,
        seed in 0..u64::MAX - 9,
    ) {
        let [channels, height, width] = shape;
        let area = height * width;
        let b_shape = if constant { [channels, 1, 1] } else { shape };
        let len = images * channels * area;
        let a = random_values(seed, len);
        let b = random_values(seed + 1, images * b_shape.iter().product::<usize>());
        for (op, reference) in OPERATIONS {
            let a: Vec<f32> = match op {
                BinaryOp::Pow => a.iter().map(|a| a.abs()).collect(),
                _ => a.clone(),
            };
            let expected: Vec<f32> = (0..len)
                .map(|at| reference(a[at], b[if constant { at / area } else { at }]))
                .map(|y| if relu { y.max(0.0) } else { y })
                .collect();
            for (isa, _) in instruction_sets() {
                let test = StepTest {
                    images,
                    inputs: vec![
                        (TestMap::with_margins(shape, margins[0]), &a),
                        (TestMap::with_margins(b_shape, margins[1]), &b),
                    ],
                    outputs: vec![TestMap::with_margins(shape, margins[2])],
                    ..StepTest::new(isa)
                };
                let run = test.run(|layout, _| {
                    let output = Output {
                        y: layout.outputs[0],
                        residual: None,
                        activation: if relu { Activation::Relu } else { Activation::Identity },
                    };
                    Step::Binary(Binary::new(op, layout.inputs[0], layout.inputs[1], output))
                });
                prop_assert_eq!(&run.maps[0], &expected, "{:?}", op);
            }
        }
    }
}

/// An operation on two numbers.
type Reference = fn(f32, f32) -> f32;

/// All operations.
const OPERATIONS: [(BinaryOp, Reference); 8] = [
    (BinaryOp::Add, |a, b| a + b),
    (BinaryOp::Sub, |a, b| a - b),
    (BinaryOp::Mul, |a, b| a * b),
    (BinaryOp::Div, |a, b| a / b),
    (BinaryOp::Min, |a, b| a.min(b)),
    (BinaryOp::Max, |a, b| a.max(b)),
    (BinaryOp::Pow, f32::powf),
    (BinaryOp::Prelu, |a, b| if a > 0.0 { a } else { a * b }),
];

/// A NaN of either number is the result, except of powers: `1^b` and `a^0` are 1.
#[test]
fn operations_propagate_nan() {
    for (op, _) in OPERATIONS {
        for (isa, _) in instruction_sets() {
            let map = TestMap::new([3, 1, 1]);
            let (a, b) = ([f32::NAN, 2.0, -2.0], [2.0, f32::NAN, f32::NAN]);
            let test = StepTest {
                inputs: vec![(map, &a), (map, &b)],
                outputs: vec![map],
                ..StepTest::new(isa)
            };
            let run = test.run(|layout, _| {
                let output = Output {
                    y: layout.outputs[0],
                    residual: None,
                    activation: Activation::Identity,
                };
                Step::Binary(Binary::new(op, layout.inputs[0], layout.inputs[1], output))
            });
            let y = &run.maps[0];
            // A positive `a` is the result of `Prelu`, whatever `b` is.
            let is_nan = [true, op != BinaryOp::Prelu, true];
            assert_eq!([0, 1, 2].map(|i| y[i].is_nan()), is_nan, "{op:?} on {isa}");
        }
    }
}
