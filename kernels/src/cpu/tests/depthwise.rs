//! Depthwise convolution against the definition in 64 bits.

use proptest::prelude::*;

use super::super::{Activation, Border, ConvSpec, Depthwise, Output};
use super::places::{at, elements, place, shapes, surroundings};
use super::{Trial, config, instruction_sets, noise};
use crate::plan::Step;

/// Mostly the kernels that have code of their own.
fn specs() -> impl Strategy<Value = ConvSpec> {
    let side = || 0..=2_usize;
    let any = (
        [1..=5_usize, 1..=5],
        [1..=3_usize, 1..=3],
        [1..=3_usize, 1..=2],
    );
    let three = (Just([3, 3]), [1..=2_usize, 1..=2], Just([1, 1]));
    let padding = [side(), side(), side(), side()];
    (prop_oneof![any, three], padding).prop_map(
        |((kernel, stride, dilation), [top, bottom, left, right])| ConvSpec {
            channels_in: 1,
            channels_out: 1,
            kernel,
            stride,
            padding: Border {
                top,
                bottom,
                left,
                right,
            },
            dilation,
            groups: 1,
        },
    )
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn depthwise_is_within_its_bound(
        spec in specs(),
        [channels, height, width] in shapes(),
        images in 1..=3_usize,
        around in [surroundings(), surroundings(), surroundings()],
        (bias, residual, relu) in any::<(bool, bool, bool)>(),
        seed in 0..u64::MAX - 9,
    ) {
        let spec = ConvSpec {
            channels_in: channels,
            channels_out: channels,
            groups: channels,
            ..spec
        };
        let extent: [usize; 2] =
            std::array::from_fn(|i| (spec.kernel[i] - 1) * spec.dilation[i] + 1);
        let shape = [channels, height.max(extent[0]), width.max(extent[1])];
        let [y_height, y_width] = spec.output([shape[1], shape[2]]);
        let y_shape = [channels, y_height, y_width];
        let x = noise(seed, images * shape.iter().product::<usize>());
        let weights = noise(seed + 1, spec.weights());
        let bias = bias.then(|| noise(seed + 2, channels));
        let added = residual.then(|| noise(seed + 3, images * y_shape.iter().product::<usize>()));

        let mut expected = Vec::new();
        for [n, c, y_row, y_column] in elements(images, y_shape) {
            let mut terms = Vec::new();
            terms.extend(bias.as_ref().map(|bias| f64::from(bias[c])));
            terms.extend(added.as_ref().map(|added| f64::from(added[expected.len()])));
            for tap in 0..spec.kernel[0] * spec.kernel[1] {
                let (i, j) = (tap / spec.kernel[1], tap % spec.kernel[1]);
                let row = (y_row * spec.stride[0] + i * spec.dilation[0]).checked_sub(spec.padding.top);
                let column =
                    (y_column * spec.stride[1] + j * spec.dilation[1]).checked_sub(spec.padding.left);
                if let (Some(row), Some(column)) = (row, column)
                    && row < shape[1]
                    && column < shape[2]
                {
                    let weight = weights[c * spec.kernel[0] * spec.kernel[1] + tap];
                    terms.push(f64::from(x[at(shape, n, c, row, column)]) * f64::from(weight));
                }
            }
            let sum: f64 = terms.iter().sum();
            let magnitude: f64 = terms.iter().map(|term| term.abs()).sum();
            expected.push((if relu { sum.max(0.0) } else { sum }, terms.len(), magnitude));
        }

        let mut input = place(shape, around[0]);
        input.border.top += spec.padding.top;
        input.border.bottom += spec.padding.bottom;
        input.border.left += spec.padding.left;
        input.border.right += spec.padding.right;
        for (isa, lanes) in instruction_sets() {
            let mut inputs = vec![(input, &x[..])];
            inputs.extend(added.as_ref().map(|added| (place(y_shape, around[2]), &added[..])));
            let trial = Trial {
                images,
                inputs,
                outputs: vec![place(y_shape, around[1])],
                weights: Depthwise::packed_len(&spec, lanes),
                ..Trial::new(isa)
            };
            let run = trial.run(|maps, packed| {
                let output = Output {
                    y: maps.outputs[0],
                    residual: maps.inputs.get(1).copied(),
                    activation: if relu { Activation::Relu } else { Activation::Identity },
                };
                let step = Depthwise::new(spec, maps.inputs[0], output, maps.weights);
                step.pack(&weights, bias.as_deref(), packed);
                Step::Depthwise(step)
            });
            for (y, (expected, terms, magnitude)) in run.maps[0].iter().zip(&expected) {
                // Each of the products and sums is rounded once.
                let bound = (2 * terms) as f64 * f64::from(f32::EPSILON) / 2.0 * magnitude;
                let error = (f64::from(*y) - expected).abs();
                prop_assert!(error <= bound, "{y} on {isa}, expected {expected}");
            }
        }
    }
}
