//! Fully connected layers with 24-bit weights against the definition in `f64`.

use proptest::prelude::*;

use super::super::{Activation, Border, ConvSpec, Direct, FullyConnected, Isa, Output};
use super::conv_problem::{ConvProblem, Expected, ROUNDING, problems};
use super::{StepTest, TestMap, config, instruction_sets};
use crate::plan::Step;

/// A convolution of `16 * blocks` input channels.
fn spec(blocks: usize, channels_out: usize, kernel: [usize; 2]) -> ConvSpec {
    ConvSpec {
        channels_in: 16 * blocks,
        channels_out,
        kernel,
        stride: [1, 1],
        padding: Border::default(),
        dilation: [1, 1],
        groups: 1,
    }
}

/// Strategy for layers of up to 200 outputs, 432 inputs and 10 images.
fn fully_connected_problems() -> impl Strategy<Value = ConvProblem> {
    let outputs = prop_oneof![1..=70_usize, 120..=200_usize];
    let kernel = prop_oneof![Just([1, 1]), prop::array::uniform2(1..=3_usize)];
    let specs = (1..=3_usize, outputs, kernel)
        .prop_map(|(blocks, channels_out, kernel)| spec(blocks, channels_out, kernel));
    let problems = problems(specs, Just([0, 0]));
    (problems, prop_oneof![1..=3_usize, 4..=10_usize])
        .prop_map(|(problem, images)| ConvProblem { images, ..problem })
}

/// Returns the outputs of `problem` on `isa`.
fn run(problem: &ConvProblem, isa: Isa, lanes: usize) -> Vec<f32> {
    let spec = problem.spec;
    let len = FullyConnected::packed_len(&spec, lanes);
    problem.run(isa, len, Border::default(), |args, packed| {
        let x = args.layout.inputs[0];
        let step = FullyConnected::new(spec, x, args.output, args.layout.weights);
        step.pack(args.weights, args.bias, packed);
        Step::FullyConnected(step)
    })
}

proptest! {
    #![proptest_config(config())]

    /// The error bound is the bound of [`direct`](super::direct) plus 1.25 times 2^-23 for each
    /// 24-bit weight, since weights and inputs have magnitudes of at most 1.
    #[test]
    fn fully_connected_is_within_its_error_bound(problem in fully_connected_problems()) {
        let expected = problem.expected();
        for (isa, lanes) in instruction_sets() {
            let operations = (problem.terms() + 3) as f64;
            let units = 2.5 * problem.terms() as f64;
            let found = run(&problem, isa, lanes);
            for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let error = (f64::from(*found) - expected.value).abs();
                let bound = (operations * expected.magnitude + units) * ROUNDING;
                prop_assert!(
                    error <= bound,
                    "{isa}: {found} at index {at}, error {error:e} exceeds {bound:e}"
                );
            }
        }
    }
}

/// For 4608 inputs, the RMS error of the outputs, relative to their RMS, is less than 5% greater
/// than the error of a direct convolution with `f32` weights: the rounding of sums dominates.
#[test]
fn rounding_weights_to_24_bits_hardly_increases_the_error() {
    let problem = ConvProblem::new(spec(32, 200, [3, 3]), [3, 3]);
    let expected = problem.expected();
    let rms = |values: &mut dyn Iterator<Item = f64>| -> f64 {
        (values.map(|x| x * x).sum::<f64>() / expected.len() as f64).sqrt()
    };
    let output_rms = rms(&mut expected.iter().map(|expected| expected.value));
    let error = |found: &[f32]| {
        let pairs = found.iter().zip(&expected);
        rms(&mut pairs.map(|(found, expected): (_, &Expected)| f64::from(*found) - expected.value))
            / output_rms
    };
    for (isa, lanes) in instruction_sets() {
        let packed_error = error(&run(&problem, isa, lanes));
        let spec = problem.spec;
        let len = Direct::packed_len(&spec, lanes, lanes);
        let direct = problem.run(isa, len, Border::default(), |args, packed| {
            let step = Direct::new(
                spec,
                args.layout.inputs[0],
                args.output,
                args.layout.weights,
            );
            step.pack(args.weights, args.bias, packed);
            Step::Direct(step)
        });
        let direct_error = error(&direct);
        println!("{isa}: 24-bit weights {packed_error:.2e}, f32 weights {direct_error:.2e}");
        assert!(
            packed_error < 1.05 * direct_error,
            "{isa}: {packed_error:e}, expected at most 1.05 times {direct_error:e}"
        );
    }
}

/// Packs the weights `row` of one output and returns the weights after unpacking: the outputs for
/// the unit vectors as images.
fn pack_and_unpack(row: &[f32], isa: Isa, lanes: usize) -> Vec<f32> {
    let depth = row.len();
    let spec = spec(depth / 16, 1, [1, 1]);
    let unit_vectors: Vec<f32> = (0..depth * depth)
        .map(|at| f32::from(u8::from(at / depth == at % depth)))
        .collect();
    let test = StepTest {
        images: depth,
        inputs: vec![(TestMap::new([depth, 1, 1]), &unit_vectors)],
        outputs: vec![TestMap::new([1, 1, 1])],
        weights: FullyConnected::packed_len(&spec, lanes),
        ..StepTest::new(isa)
    };
    let output = test.run(|layout, packed| {
        let output = Output {
            y: layout.outputs[0],
            residual: None,
            activation: Activation::Identity,
        };
        let step = FullyConnected::new(spec, layout.inputs[0], output, layout.weights);
        step.pack(row, None, packed);
        Step::FullyConnected(step)
    });
    output
        .maps
        .into_iter()
        .next()
        .expect("the step has one output map")
}

/// The scale factor adapts to the largest weight of a scale group, whatever its magnitude. Groups
/// that are too small for a scale factor become zero. A group with a weight that is not finite
/// becomes NaN.
#[test]
fn weights_of_any_magnitude_keep_24_bits() {
    for (isa, lanes) in instruction_sets() {
        for largest in [f32::MAX, 1.0, -0.37, 1e-20, -3e-28] {
            let row: Vec<f32> = (0..16).map(|i| largest / (1 << i) as f32).collect();
            for (found, expected) in pack_and_unpack(&row, isa, lanes).iter().zip(&row) {
                let error = f64::from(*found) - f64::from(*expected);
                let unit = f64::from(largest.abs()) * f64::from(f32::EPSILON);
                assert!(
                    error.abs() <= 1.25 * unit,
                    "{isa}: found {found}, expected {expected}"
                );
            }
        }
        assert_eq!(pack_and_unpack(&[1e-30; 16], isa, lanes), [0.0; 16]);
        for special in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut row = [1.0; 16];
            row[3] = special;
            assert!(
                pack_and_unpack(&row, isa, lanes).iter().all(|x| x.is_nan()),
                "{isa}"
            );
        }
    }
}

proptest! {
    #![proptest_config(config())]

    /// Each weight is within 1.25 times 2^-23 of the largest weight of its scale group.
    #[test]
    fn packed_weights_are_within_their_error_bound(
        mut row in prop::collection::vec(-1.0_f32..1.0, 160),
        scale in prop::sample::select(vec![1.0_f32, 1e-3, 3e5]),
    ) {
        row.iter_mut().for_each(|weight| *weight *= scale);
        for (isa, lanes) in instruction_sets() {
            let found = pack_and_unpack(&row, isa, lanes);
            for (found, expected) in found.chunks(64).zip(row.chunks(64)) {
                let largest = expected.iter().fold(0.0, |a: f32, b| a.max(b.abs()));
                let unit = f64::from(largest) * f64::from(f32::EPSILON);
                for (found, expected) in found.iter().zip(expected) {
                    let error = f64::from(*found) - f64::from(*expected);
                    prop_assert!(
                        error.abs() <= 1.25 * unit,
                        "{isa}: found {found}, expected {expected}"
                    );
                }
            }
        }
    }
}
