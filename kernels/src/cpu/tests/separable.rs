//! A depthwise and a pointwise convolution as one step against the definition in 64 bits.

use proptest::prelude::*;

use super::super::{Activation, Border, ConvSpec, Output, Separable};
use super::places::{at, elements, place, shapes, surroundings};
use super::{Trial, config, instruction_sets, noise};
use crate::plan::Step;

/// More channels than have their weights in the nearest cache, of few pixels.
fn deep() -> impl Strategy<Value = [usize; 3]> {
    (520..=600_usize, 1..=3_usize, 1..=3_usize).prop_map(Into::into)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn separable_is_within_its_bound(
        (kernel, stride) in (1..=4_usize, 1..=2_usize),
        padding in 0..=1_usize,
        [channels, height, width] in prop_oneof![8 => shapes(), 1 => deep()],
        channels_out in 1..=70_usize,
        images in 1..=3_usize,
        around in [surroundings(), surroundings(), surroundings()],
        (bias, residual) in any::<(bool, bool)>(),
        seed in 0..u64::MAX - 9,
    ) {
        let first = ConvSpec {
            channels_in: channels,
            channels_out: channels,
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: Border { top: padding, bottom: padding, left: padding, right: padding },
            dilation: [1, 1],
            groups: channels,
        };
        let second = ConvSpec {
            channels_out,
            kernel: [1, 1],
            stride: [1, 1],
            padding: Border::default(),
            groups: 1,
            ..first
        };
        let shape = [channels, height.max(kernel), width.max(kernel)];
        let [rows, columns] = first.output([shape[1], shape[2]]);
        let y_shape = [channels_out, rows, columns];
        let x = noise(seed, images * shape.iter().product::<usize>());
        let weights = [noise(seed + 1, first.weights()), noise(seed + 2, second.weights())];
        let biases = [noise(seed + 3, channels), noise(seed + 4, channels_out)];
        let added = residual.then(|| noise(seed + 5, images * y_shape.iter().product::<usize>()));

        // The map between, and the sum of the magnitudes that went into each of its elements.
        let between_shape = [channels, rows, columns];
        let between: Vec<(f64, f64)> = elements(images, between_shape)
            .map(|[n, c, row, column]| {
                let mut terms = Vec::new();
                terms.extend(bias.then(|| f64::from(biases[0][c])));
                for tap in 0..kernel * kernel {
                    let row = (row * stride + tap / kernel).checked_sub(padding);
                    let column = (column * stride + tap % kernel).checked_sub(padding);
                    if let (Some(row), Some(column)) = (row, column)
                        && row < shape[1]
                        && column < shape[2]
                    {
                        let weight = weights[0][c * kernel * kernel + tap];
                        terms.push(f64::from(x[at(shape, n, c, row, column)]) * f64::from(weight));
                    }
                }
                let magnitude = terms.iter().map(|term| term.abs()).sum();
                (terms.iter().sum::<f64>().max(0.0), magnitude)
            })
            .collect();
        let mut expected = Vec::new();
        for [n, out, row, column] in elements(images, y_shape) {
            let mut terms = Vec::new();
            terms.extend(bias.then(|| f64::from(biases[1][out])).map(|b| (b, b.abs())));
            terms.extend(added.as_ref().map(|added| {
                let added = f64::from(added[expected.len()]);
                (added, added.abs())
            }));
            for c in 0..channels {
                let weight = f64::from(weights[1][out * channels + c]);
                let (value, magnitude) = between[at(between_shape, n, c, row, column)];
                terms.push((value * weight, magnitude * weight.abs()));
            }
            expected.push((
                terms.iter().map(|term| term.0).sum::<f64>(),
                terms.iter().map(|term| term.1).sum::<f64>(),
            ));
        }

        let mut input = place(shape, around[0]);
        input.border.top += padding;
        input.border.bottom += padding;
        input.border.left += padding;
        input.border.right += padding;
        for (isa, lanes) in instruction_sets() {
            let mut inputs = vec![(input, &x[..])];
            inputs.extend(added.as_ref().map(|added| (place(y_shape, around[2]), &added[..])));
            let trial = Trial {
                images,
                inputs,
                outputs: vec![place(y_shape, around[1])],
                weights: Separable::packed_len(&first, &second, lanes),
                ..Trial::new(isa)
            };
            let run = trial.run(|maps, packed| {
                let output = Output {
                    y: maps.outputs[0],
                    residual: maps.inputs.get(1).copied(),
                    activation: Activation::Identity,
                };
                let step = Separable::new(
                    (first, Activation::Relu),
                    second,
                    maps.inputs[0],
                    output,
                    maps.weights,
                    isa.blocking(),
                );
                let bias = |i: usize| bias.then_some(&biases[i][..]);
                step.pack((&weights[0], bias(0)), (&weights[1], bias(1)), packed);
                Step::Separable(Box::new(step))
            });
            for (y, (expected, magnitude)) in run.maps[0].iter().zip(&expected) {
                // Each of the products and sums is rounded once.
                let terms = kernel * kernel + channels + 3;
                let bound = (2 * terms) as f64 * f64::from(f32::EPSILON) / 2.0 * magnitude;
                let error = (f64::from(*y) - expected).abs();
                prop_assert!(error <= bound, "{y} on {isa}, expected {expected}");
            }
        }
    }
}
