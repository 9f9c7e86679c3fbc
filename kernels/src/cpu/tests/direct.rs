//! Direct convolution against the definition.

use std::ops::RangeInclusive;

use proptest::prelude::*;

use super::super::{ConvSpec, Direct};
use super::convolution::{Problem, ROUNDING, borders, problems};
use super::{config, instruction_sets};
use crate::plan::Step;

/// Any kernel, stride, padding and dilation, over up to `channels` channels of a group.
fn specs() -> impl Strategy<Value = ConvSpec> {
    let kernel = prop_oneof![
        2 => Just([1, 1]),
        1 => Just([3, 3]),
        3 => prop::array::uniform2(1..=7_usize),
    ];
    let pairs = |most: usize| {
        prop_oneof![
            2 => Just([1, 1]),
            1 => prop::array::uniform2(1..=most),
        ]
    };
    (kernel, pairs(4), pairs(3), groups()).prop_flat_map(|(kernel, stride, dilation, groups)| {
        let [groups, group_in, group_out] = groups;
        // Enough for every case of blocks, few enough for the reference.
        let most = (400 / (kernel[0] * kernel[1])).clamp(5, 40);
        let padding = prop_oneof![
            Just(Default::default()),
            borders(kernel[0].max(kernel[1]).div_ceil(2) * dilation[0]),
        ];
        padding.prop_map(move |padding| ConvSpec {
            channels_in: groups * group_in.min(most),
            channels_out: groups * group_out,
            kernel,
            stride,
            padding,
            dilation,
            groups,
        })
    })
}

/// Groups, and the channels of each: mostly one, some each of a channel.
fn groups() -> impl Strategy<Value = [usize; 3]> {
    prop_oneof![
        3 => (1..=40_usize, 1..=70_usize).prop_map(|(group_in, group_out)| [1, group_in, group_out]),
        1 => (2..=5_usize, 1..=9_usize, 1..=9_usize).prop_map(|(n, i, o)| [n, i, o]),
        1 => (2..=40_usize, 1..=2_usize).prop_map(|(channels, out)| [channels, 1, out]),
    ]
}

/// Convolutions of one group with so many outputs.
fn of_outputs(outs: RangeInclusive<usize>) -> impl Strategy<Value = ConvSpec> {
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

fn more() -> impl Strategy<Value = [usize; 2]> {
    prop_oneof![
        1 => Just([0, 0]),
        2 => [0..=4_usize, 0..=8_usize],
        1 => [0..=2_usize, 0..=50_usize],
    ]
}

/// As close as [`ROUNDING`] of the terms' magnitude for each of its operations: a product and a sum
/// for each term, where they are not fused; the residual.
fn check(problem: &Problem) {
    let expected = problem.expected();
    let spec = problem.spec;
    for (isa, lanes) in instruction_sets() {
        let lanes_in = if problem.planar { 1 } else { lanes };
        let len = Direct::packed_len(&spec, lanes_in, lanes);
        let found = problem.run(isa, len, spec.padding, |parts, packed| {
            let x = parts.maps.inputs[0];
            let step = Direct::new(spec, x, parts.output, parts.maps.weights);
            step.pack(parts.weights, parts.bias, packed);
            Step::Direct(step)
        });
        let operations = (problem.terms() + 2) as f64;
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let error = (f64::from(*found) - expected.value).abs();
            let bound = operations * ROUNDING * expected.magnitude;
            assert!(
                error <= bound,
                "{isa}: {found} at {at}, expected {}: {error:e} off, more than {bound:e}",
                expected.value
            );
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn blocked_input(problem in problems(specs(), more())) {
        check(&problem);
    }

    #[test]
    fn planar_input(mut problem in problems(specs(), more())) {
        problem.planar = true;
        check(&problem);
    }
    /// Several pairs of blocks are computed at once.
    #[test]
    fn one_pixel(mut problem in problems(of_outputs(1..=200), Just([0, 0])), planar in any::<bool>()) {
        problem.images = 1;
        problem.planar = planar;
        check(&problem);
    }

    /// Its tiles are wider.
    #[test]
    fn one_block_of_outputs(
        mut problem in problems(of_outputs(1..=4), [0..=2_usize, 0..=60_usize]),
        planar in any::<bool>(),
    ) {
        problem.planar = planar;
        check(&problem);
    }
}
