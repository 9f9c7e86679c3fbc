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

    #[test]
    fn binary_is_exact(
        shape in shapes(),
        images in 1..=3_usize,
        margins in [margins(), margins(), margins()],
        relu: bool,
        seed in 0..u64::MAX - 9,
    ) {
        let len = images * shape.iter().product::<usize>();
        let (a, b) = (random_values(seed, len), random_values(seed + 1, len));
        for (op, reference) in [
            (BinaryOp::Add, (|a, b| a + b) as fn(f32, f32) -> f32),
            (BinaryOp::Sub, |a, b| a - b),
            (BinaryOp::Mul, |a, b| a * b),
            (BinaryOp::Div, |a, b| a / b),
        ] {
            let expected: Vec<f32> = std::iter::zip(&a, &b)
                .map(|(a, b)| reference(*a, *b))
                .map(|y| if relu { y.max(0.0) } else { y })
                .collect();
            for (isa, _) in instruction_sets() {
                let test = StepTest {
                    images,
                    inputs: vec![
                        (TestMap::with_margins(shape, margins[0]), &a),
                        (TestMap::with_margins(shape, margins[1]), &b),
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
                prop_assert_eq!(&run.maps[0], &expected);
            }
        }
    }
}
