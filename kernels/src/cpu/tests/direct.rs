//! Direct convolution against the definition in `f64`.

use std::ops::RangeInclusive;

use proptest::prelude::*;

use super::super::{ConvSpec, Direct};
use super::conv_problem::{ConvProblem, ROUNDING, borders, problems};
use super::{config, instruction_sets};
use crate::plan::Step;

/// Strategy for convolutions with any kernel, stride, padding, dilation and groups.
fn specs() -> impl Strategy<Value = ConvSpec> {
    let kernel = prop_oneof![
        2 => Just([1, 1]),
        1 => Just([3, 3]),
        3 => prop::array::uniform2(1..=7_usize),
    ];
    let pair_up_to = |max: usize| {
        prop_oneof![
            2 => Just([1, 1]),
            1 => prop::array::uniform2(1..=max),
        ]
    };
    (kernel, pair_up_to(4), pair_up_to(3), groups()).prop_flat_map(
        |(kernel, stride, dilation, groups)| {
            let [groups, group_in, group_out] = groups;
            // Enough channels for full and partial blocks, but few enough for the slow reference.
            let max_channels = (400 / (kernel[0] * kernel[1])).clamp(5, 40);
            let padding = prop_oneof![
                Just(Default::default()),
                borders(kernel[0].max(kernel[1]).div_ceil(2) * dilation[0]),
            ];
            padding.prop_map(move |padding| ConvSpec {
                channels_in: groups * group_in.min(max_channels),
                channels_out: groups * group_out,
                kernel,
                stride,
                padding,
                dilation,
                groups,
            })
        },
    )
}

/// Strategy for `[groups, input channels per group, output channels per group]`: three fifths have
/// one group, and one fifth one input channel per group.
fn groups() -> impl Strategy<Value = [usize; 3]> {
    prop_oneof![
        3 => (Just(1), 1..=40_usize, 1..=70_usize),
        1 => (2..=5_usize, 1..=9_usize, 1..=9_usize),
        1 => (2..=40_usize, Just(1), 1..=2_usize),
    ]
    .prop_map(Into::into)
}

/// Strategy for convolutions with one group and a number of output channels in the range `outs`.
fn specs_with_outputs(outs: RangeInclusive<usize>) -> impl Strategy<Value = ConvSpec> {
    let kernel = prop::array::uniform2(1..=5_usize);
    let stride = prop::array::uniform2(1..=2_usize);
    (kernel, stride, 1..=20_usize, outs).prop_map(|(kernel, stride, channels_in, channels_out)| {
        ConvSpec {
            channels_in,
            channels_out,
            kernel,
            stride,
            padding: Default::default(),
            dilation: [1, 1],
            groups: 1,
        }
    })
}

/// Strategy for the rows and columns of the input beyond the smallest that the convolution accepts.
fn extra_size() -> impl Strategy<Value = [usize; 2]> {
    prop_oneof![
        1 => Just([0, 0]),
        2 => [0..=4_usize, 0..=8_usize],
        1 => [0..=2_usize, 0..=50_usize],
    ]
}

/// Asserts that the error of each output is at most `terms + 2` times [`ROUNDING`] times the sum of
/// the terms' magnitudes: a product is rounded once, and again in each later sum, those with the
/// bias and the residual included.
fn assert_within_error_bound(problem: &ConvProblem) {
    let expected = problem.expected();
    let spec = problem.spec;
    for (isa, lanes) in instruction_sets() {
        let lanes_in = if problem.planar { 1 } else { lanes };
        let len = Direct::packed_len(&spec, lanes_in, lanes);
        let found = problem.run(isa, len, spec.padding, |args, packed| {
            let x = args.layout.inputs[0];
            let step = Direct::new(spec, x, args.output, args.layout.weights);
            step.pack(args.weights, args.bias, packed);
            Step::Direct(step)
        });
        let operations = (problem.terms() + 2) as f64;
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let error = (f64::from(*found) - expected.value).abs();
            let bound = operations * ROUNDING * expected.magnitude;
            assert!(
                error <= bound,
                "{isa}: {found} at index {at}, expected {}: error {error:e} exceeds {bound:e}",
                expected.value
            );
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn direct_is_within_its_error_bound_for_blocked_inputs(
        problem in problems(specs(), extra_size()),
    ) {
        assert_within_error_bound(&problem);
    }

    #[test]
    fn direct_is_within_its_error_bound_for_planar_inputs(
        mut problem in problems(specs(), extra_size()),
    ) {
        problem.planar = true;
        assert_within_error_bound(&problem);
    }

    /// A tile of one pixel computes several pairs of output blocks at once.
    #[test]
    fn direct_is_within_its_error_bound_for_one_output_pixel(
        mut problem in problems(specs_with_outputs(1..=200), Just([0, 0])),
        planar in any::<bool>(),
    ) {
        problem.images = 1;
        problem.planar = planar;
        assert_within_error_bound(&problem);
    }

    /// Tiles of a single output block have more pixels.
    #[test]
    fn direct_is_within_its_error_bound_for_one_output_block(
        mut problem in problems(specs_with_outputs(1..=4), [0..=2_usize, 0..=60_usize]),
        planar in any::<bool>(),
    ) {
        problem.planar = planar;
        assert_within_error_bound(&problem);
    }
}
