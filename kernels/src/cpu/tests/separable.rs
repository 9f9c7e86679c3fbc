//! Separable convolution, a depthwise and a pointwise convolution in one step, against the
//! definition in `f64`.

use proptest::prelude::*;

use super::super::{Activation, Border, ConvSpec, Output, Separable};
use super::test_map::{margins, nchw_indices, nchw_offset, shapes};
use super::{StepTest, TestMap, config, instruction_sets, random_values};
use crate::plan::Step;

/// Strategy for shapes of few pixels with so many channels that the weights exceed the L1 cache.
fn shapes_with_many_channels() -> impl Strategy<Value = [usize; 3]> {
    (520..=600_usize, 1..=3_usize, 1..=3_usize).prop_map(Into::into)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn separable_is_within_its_error_bound(
        (kernel, stride) in (1..=4_usize, 1..=2_usize),
        padding in 0..=1_usize,
        [channels, height, width] in prop_oneof![8 => shapes(), 1 => shapes_with_many_channels()],
        channels_out in 1..=70_usize,
        images in 1..=3_usize,
        margins in [margins(), margins(), margins()],
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
        let x = random_values(seed, images * shape.iter().product::<usize>());
        let weights = [
            random_values(seed + 1, first.weights()),
            random_values(seed + 2, second.weights()),
        ];
        let biases = [random_values(seed + 3, channels), random_values(seed + 4, channels_out)];
        let y_len = images * y_shape.iter().product::<usize>();
        let residual = residual.then(|| random_values(seed + 5, y_len));

        // Output of the depthwise convolution, with the sum of the magnitudes of the terms of each
        // element.
        let depthwise_shape = [channels, rows, columns];
        let depthwise_output: Vec<(f64, f64)> = nchw_indices(images, depthwise_shape)
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
                        let value = x[nchw_offset(shape, n, c, row, column)];
                        terms.push(f64::from(value) * f64::from(weight));
                    }
                }
                let magnitude = terms.iter().map(|term| term.abs()).sum();
                (terms.iter().sum::<f64>().max(0.0), magnitude)
            })
            .collect();
        let mut expected = Vec::new();
        for [n, out, row, column] in nchw_indices(images, y_shape) {
            let mut terms = Vec::new();
            terms.extend(bias.then(|| f64::from(biases[1][out])).map(|b| (b, b.abs())));
            terms.extend(residual.as_ref().map(|residual| {
                let residual = f64::from(residual[expected.len()]);
                (residual, residual.abs())
            }));
            for c in 0..channels {
                let weight = f64::from(weights[1][out * channels + c]);
                let index = nchw_offset(depthwise_shape, n, c, row, column);
                let (value, magnitude) = depthwise_output[index];
                terms.push((value * weight, magnitude * weight.abs()));
            }
            expected.push((
                terms.iter().map(|term| term.0).sum::<f64>(),
                terms.iter().map(|term| term.1).sum::<f64>(),
            ));
        }

        let mut input = TestMap::with_margins(shape, margins[0]);
        input.margins.border.top += padding;
        input.margins.border.bottom += padding;
        input.margins.border.left += padding;
        input.margins.border.right += padding;
        for (isa, lanes) in instruction_sets() {
            let mut inputs = vec![(input, &x[..])];
            let residual_map = TestMap::with_margins(y_shape, margins[2]);
            inputs.extend(residual.as_ref().map(|residual| (residual_map, &residual[..])));
            let test = StepTest {
                images,
                inputs,
                outputs: vec![TestMap::with_margins(y_shape, margins[1])],
                weights: Separable::packed_len(&first, &second, lanes),
                ..StepTest::new(isa)
            };
            let run = test.run(|layout, packed| {
                let output = Output {
                    y: layout.outputs[0],
                    residual: layout.inputs.get(1).copied(),
                    activation: Activation::Identity,
                };
                let step = Separable::new(
                    (first, Activation::Relu),
                    second,
                    layout.inputs[0],
                    output,
                    layout.weights,
                    isa.blocking(),
                );
                let bias = |i: usize| bias.then_some(&biases[i][..]);
                step.pack((&weights[0], bias(0)), (&weights[1], bias(1)), packed);
                Step::Separable(Box::new(step))
            });
            for (y, (expected, magnitude)) in run.maps[0].iter().zip(&expected) {
                // Each product and each sum is rounded once.
                let terms = kernel * kernel + channels + 3;
                let bound = (2 * terms) as f64 * f64::from(f32::EPSILON) / 2.0 * magnitude;
                let error = (f64::from(*y) - expected).abs();
                prop_assert!(error <= bound, "{y} on {isa}, expected {expected}");
            }
        }
    }
}
