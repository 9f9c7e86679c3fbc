//! Steps that see one element at a time: what they give is exact.

use proptest::prelude::*;

use super::super::{Activation, Binary, BinaryOp, Output, Unary};
use super::places::{place, shapes, surroundings};
use super::{Trial, config, instruction_sets, noise};
use crate::plan::Step;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn unary_is_exact(
        shape in shapes(),
        images in 1..=3_usize,
        around in [surroundings(), surroundings()],
        seed in 0..u64::MAX - 9,
    ) {
        let x = noise(seed, images * shape.iter().product::<usize>());
        let expected: Vec<f32> = x.iter().map(|x| x.clamp(-0.25, 0.75)).collect();
        for (isa, _) in instruction_sets() {
            let trial = Trial {
                images,
                inputs: vec![(place(shape, around[0]), &x)],
                outputs: vec![place(shape, around[1])],
                ..Trial::new(isa)
            };
            let run = trial.run(|maps, _| {
                let activation = Activation::Clamp { low: -0.25, high: 0.75 };
                Step::Unary(Unary::new(maps.inputs[0], maps.outputs[0], activation))
            });
            prop_assert_eq!(&run.maps[0], &expected);
        }
    }

    #[test]
    fn binary_is_exact(
        shape in shapes(),
        images in 1..=3_usize,
        around in [surroundings(), surroundings(), surroundings()],
        relu: bool,
        seed in 0..u64::MAX - 9,
    ) {
        let len = images * shape.iter().product::<usize>();
        let (a, b) = (noise(seed, len), noise(seed + 1, len));
        for (op, exact) in [
            (BinaryOp::Add, (|a, b| a + b) as fn(f32, f32) -> f32),
            (BinaryOp::Sub, |a, b| a - b),
            (BinaryOp::Mul, |a, b| a * b),
            (BinaryOp::Div, |a, b| a / b),
        ] {
            let expected: Vec<f32> = std::iter::zip(&a, &b)
                .map(|(a, b)| exact(*a, *b))
                .map(|y| if relu { y.max(0.0) } else { y })
                .collect();
            for (isa, _) in instruction_sets() {
                let trial = Trial {
                    images,
                    inputs: vec![(place(shape, around[0]), &a), (place(shape, around[1]), &b)],
                    outputs: vec![place(shape, around[2])],
                    ..Trial::new(isa)
                };
                let run = trial.run(|maps, _| {
                    let output = Output {
                        y: maps.outputs[0],
                        residual: None,
                        activation: if relu { Activation::Relu } else { Activation::Identity },
                    };
                    Step::Binary(Binary::new(op, maps.inputs[0], maps.inputs[1], output))
                });
                prop_assert_eq!(&run.maps[0], &expected);
            }
        }
    }
}
