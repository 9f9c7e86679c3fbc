//! Fully connected layers with weights in 24 bits against the definition.

use proptest::prelude::*;

use super::super::{Activation, Border, ConvSpec, Direct, FullyConnected, Isa, Output};
use super::convolution::{Expected, Problem, ROUNDING, problems};
use super::{Place, Trial, config, instruction_sets};
use crate::plan::Step;

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

/// Up to three groups of outputs, up to six sections, of up to ten images.
fn any_problem() -> impl Strategy<Value = Problem> {
    let outputs = prop_oneof![1..=70_usize, 120..=200_usize];
    let kernel = prop_oneof![Just([1, 1]), prop::array::uniform2(1..=3_usize)];
    let specs = (1..=3_usize, outputs, kernel)
        .prop_map(|(blocks, channels_out, kernel)| spec(blocks, channels_out, kernel));
    let problems = problems(specs, Just([0, 0]));
    (problems, prop_oneof![1..=3_usize, 4..=10_usize])
        .prop_map(|(problem, images)| Problem { images, ..problem })
}

/// The outputs on `isa`.
fn found(problem: &Problem, isa: Isa, lanes: usize) -> Vec<f32> {
    let spec = problem.spec;
    let len = FullyConnected::packed_len(&spec, lanes);
    problem.run(isa, len, Border::default(), |parts, packed| {
        let x = parts.maps.inputs[0];
        let step = FullyConnected::new(spec, x, parts.output, parts.maps.weights);
        step.pack(parts.weights, parts.bias, packed);
        Step::FullyConnected(step)
    })
}

proptest! {
    #![proptest_config(config())]

    /// As [`Direct`](super::direct), and five quarters of a unit of 2^-23 for each weight, of which none is greater
    /// than 1, times its input, which neither is.
    #[test]
    fn any_size(problem in any_problem()) {
        let expected = problem.expected();
        for (isa, lanes) in instruction_sets() {
            let operations = (problem.terms() + 3) as f64;
            let units = 2.5 * problem.terms() as f64;
            for (at, (found, expected)) in found(&problem, isa, lanes).iter().zip(&expected).enumerate() {
                let error = (f64::from(*found) - expected.value).abs();
                let bound = (operations * expected.magnitude + units) * ROUNDING;
                prop_assert!(error <= bound, "{isa}: {found} at {at}, {error:e} off, more than {bound:e}");
            }
        }
    }
}

/// Of a layer of 4608 inputs, how far outputs are off, in the root mean square and relative to that of the outputs:
/// hardly farther than with the weights as they are, whose sums are rounded 4608 times.
#[test]
fn rounding_of_weights_is_lost_in_that_of_sums() {
    let problem = Problem::of(spec(32, 200, [3, 3]), [3, 3]);
    let expected = problem.expected();
    let rms = |values: &mut dyn Iterator<Item = f64>| -> f64 {
        (values.map(|x| x * x).sum::<f64>() / expected.len() as f64).sqrt()
    };
    let size = rms(&mut expected.iter().map(|expected| expected.value));
    let error = |found: &[f32]| {
        let pairs = found.iter().zip(&expected);
        rms(&mut pairs.map(|(found, expected): (_, &Expected)| f64::from(*found) - expected.value))
            / size
    };
    for (isa, lanes) in instruction_sets() {
        let short = error(&found(&problem, isa, lanes));
        let spec = problem.spec;
        let len = Direct::packed_len(&spec, lanes, lanes);
        let direct = problem.run(isa, len, Border::default(), |parts, packed| {
            let step = Direct::new(spec, parts.maps.inputs[0], parts.output, parts.maps.weights);
            step.pack(parts.weights, parts.bias, packed);
            Step::Direct(step)
        });
        let direct = error(&direct);
        println!("{isa}: {short:.2e} and {direct:.2e}");
        assert!(short < 1.05 * direct, "{isa}: {short:e}, where {direct:e}");
    }
}

/// The weights `row` of an output as they are multiplied: with images that are 1 at one place each.
fn unpacked(row: &[f32], isa: Isa, lanes: usize) -> Vec<f32> {
    let depth = row.len();
    let spec = spec(depth / 16, 1, [1, 1]);
    let slots: Vec<f32> = (0..depth * depth)
        .map(|at| f32::from(u8::from(at / depth == at % depth)))
        .collect();
    let trial = Trial {
        images: depth,
        inputs: vec![(Place::new([depth, 1, 1]), &slots)],
        outputs: vec![Place::new([1, 1, 1])],
        weights: FullyConnected::packed_len(&spec, lanes),
        ..Trial::new(isa)
    };
    let written = trial.run(|maps, packed| {
        let output = Output {
            y: maps.outputs[0],
            residual: None,
            activation: Activation::Identity,
        };
        let step = FullyConnected::new(spec, maps.inputs[0], output, maps.weights);
        step.pack(row, None, packed);
        Step::FullyConnected(step)
    });
    written.maps.into_iter().next().expect("one output")
}

/// A number alone in its section stays what it is, whatever its size, as do halves of it; nothing comes of what is
/// too small to have a factor; and what is not finite is not a number.
#[test]
fn numbers_of_any_size() {
    for (isa, lanes) in instruction_sets() {
        for greatest in [f32::MAX, 1.0, -0.37, 1e-20, -3e-28] {
            let row: Vec<f32> = (0..16).map(|i| greatest / (1 << i) as f32).collect();
            for (found, expected) in unpacked(&row, isa, lanes).iter().zip(&row) {
                let error = f64::from(*found) - f64::from(*expected);
                let unit = f64::from(greatest.abs()) * f64::from(f32::EPSILON);
                assert!(error.abs() <= 1.25 * unit, "{isa}: {found} of {expected}");
            }
        }
        assert_eq!(unpacked(&[1e-30; 16], isa, lanes), [0.0; 16]);
        for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut row = [1.0; 16];
            row[3] = odd;
            assert!(
                unpacked(&row, isa, lanes).iter().all(|x| x.is_nan()),
                "{isa}"
            );
        }
    }
}

proptest! {
    #![proptest_config(config())]

    /// Each weight within five quarters of a unit of the greatest of its section.
    #[test]
    fn weights_stay_what_they_are(
        mut row in prop::collection::vec(-1.0_f32..1.0, 160),
        scale in prop::sample::select(vec![1.0_f32, 1e-3, 3e5]),
    ) {
        row.iter_mut().for_each(|weight| *weight *= scale);
        for (isa, lanes) in instruction_sets() {
            let found = unpacked(&row, isa, lanes);
            for (found, expected) in found.chunks(64).zip(row.chunks(64)) {
                let greatest = expected.iter().fold(0.0, |a: f32, b| a.max(b.abs()));
                let unit = f64::from(greatest) * f64::from(f32::EPSILON);
                for (found, expected) in found.iter().zip(expected) {
                    let error = f64::from(*found) - f64::from(*expected);
                    prop_assert!(error.abs() <= 1.25 * unit, "{isa}: {found} of {expected}");
                }
            }
        }
    }
}
