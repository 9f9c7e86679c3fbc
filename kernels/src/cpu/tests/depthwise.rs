//! Depthwise convolution against the definition in `f64`.

use proptest::prelude::*;

use super::super::{Activation, Border, ConvSpec, Depthwise, Output};
use super::test_map::{margins, nchw_indices, nchw_offset, shapes};
use super::{StepTest, TestMap, config, instruction_sets, random_values};
use crate::plan::Step;

/// Strategy for convolutions of one channel. Half have 3x3 kernels with strides of at most 2, which
/// have specialized micro-kernels.
fn specs() -> impl Strategy<Value = ConvSpec> {
    let side = || 0..=2_usize;
    let general = (
        [1..=5_usize, 1..=5],
        [1..=3_usize, 1..=3],
        [1..=3_usize, 1..=2],
    );
    let specialized = (Just([3, 3]), [1..=2_usize, 1..=2], Just([1, 1]));
    let padding = [side(), side(), side(), side()];
    (prop_oneof![general, specialized], padding).prop_map(
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
    fn depthwise_is_within_its_error_bound(
        spec in specs(),
        [channels, height, width] in shapes(),
        images in 1..=3_usize,
        margins in [margins(), margins(), margins()],
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
        let x = random_values(seed, images * shape.iter().product::<usize>());
        let weights = random_values(seed + 1, spec.weights());
        let bias = bias.then(|| random_values(seed + 2, channels));
        let y_len = images * y_shape.iter().product::<usize>();
        let residual = residual.then(|| random_values(seed + 3, y_len));

        let mut expected = Vec::new();
        for [n, c, y_row, y_column] in nchw_indices(images, y_shape) {
            let mut terms = Vec::new();
            terms.extend(bias.as_ref().map(|bias| f64::from(bias[c])));
            terms.extend(residual.as_ref().map(|residual| f64::from(residual[expected.len()])));
            for tap in 0..spec.kernel[0] * spec.kernel[1] {
                let (i, j) = (tap / spec.kernel[1], tap % spec.kernel[1]);
                let row = y_row * spec.stride[0] + i * spec.dilation[0];
                let column = y_column * spec.stride[1] + j * spec.dilation[1];
                if let Some(row) = row.checked_sub(spec.padding.top)
                    && let Some(column) = column.checked_sub(spec.padding.left)
                    && row < shape[1]
                    && column < shape[2]
                {
                    let weight = weights[c * spec.kernel[0] * spec.kernel[1] + tap];
                    let value = x[nchw_offset(shape, n, c, row, column)];
                    terms.push(f64::from(value) * f64::from(weight));
                }
            }
            let sum: f64 = terms.iter().sum();
            let magnitude: f64 = terms.iter().map(|term| term.abs()).sum();
            expected.push((if relu { sum.max(0.0) } else { sum }, terms.len(), magnitude));
        }

        let mut input = TestMap::with_margins(shape, margins[0]);
        input.margins.border.top += spec.padding.top;
        input.margins.border.bottom += spec.padding.bottom;
        input.margins.border.left += spec.padding.left;
        input.margins.border.right += spec.padding.right;
        for (isa, lanes) in instruction_sets() {
            let mut inputs = vec![(input, &x[..])];
            let residual_map = TestMap::with_margins(y_shape, margins[2]);
            inputs.extend(residual.as_ref().map(|residual| (residual_map, &residual[..])));
            let test = StepTest {
                images,
                inputs,
                outputs: vec![TestMap::with_margins(y_shape, margins[1])],
                weights: Depthwise::packed_len(&spec, lanes),
                ..StepTest::new(isa)
            };
            let run = test.run(|layout, packed| {
                let output = Output {
                    y: layout.outputs[0],
                    residual: layout.inputs.get(1).copied(),
                    activation: if relu { Activation::Relu } else { Activation::Identity },
                };
                let step = Depthwise::new(spec, layout.inputs[0], output, layout.weights);
                step.pack(&weights, bias.as_deref(), packed);
                Step::Depthwise(step)
            });
            for (y, (expected, terms, magnitude)) in run.maps[0].iter().zip(&expected) {
                // Each product and each sum is rounded once.
                let bound = (2 * terms) as f64 * f64::from(f32::EPSILON) / 2.0 * magnitude;
                let error = (f64::from(*y) - expected).abs();
                prop_assert!(error <= bound, "{y} on {isa}, expected {expected}");
            }
        }
    }
}
