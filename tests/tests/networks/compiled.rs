//! Every network compiled, on every instruction set of this machine.

use burn::tensor::{Distribution, Tensor};
use libtest_mimic::Trial;
use receptive_layers::compile::{self, Compiled, Isa, Options, Precision};
use receptive_layers::network::{Network, NetworkConfig};
use receptive_tests::networks::{self, Visit};
use receptive_tests::reference::{Reference, WITHOUT_REFERENCE, relative_difference};
use receptive_tests::{devices, formula, recorded};

use crate::{cases, slow_cases};

/// Multiply-adds per image above which a network is tested only on the fastest instruction set. The
/// other instruction sets run the same algorithms on smaller networks.
const LARGE: u64 = 2_000_000_000;

/// Largest size of packed weights, in bytes, for which the plan is also tested from a file.
const SMALL: usize = 150 << 20;

/// Compiles the network of the reference `name` and compares its logits with PyTorch's. The largest
/// accepted difference, relative to the largest logit, is 1e-4, and 1e-5 with exact algorithms.
fn assert_matches_pytorch(name: &str) {
    let reference = Reference::read(name);
    let [count, ..] = reference.input;
    let images = formula::images(&reference.salt, reference.input);
    let expected = reference.logits.concat();
    let graph = recorded::graph(&reference, count);
    let fastest = Isa::available().next();
    for isa in Isa::available() {
        for (precision, tolerance) in [(Precision::Fast, 1e-4), (Precision::Exact, 1e-5)] {
            let options = Options {
                precision,
                isa: Some(isa),
                ..Options::default()
            };
            let mut compiled = Compiled::from_graph(graph.clone(), &options).unwrap();
            let logits = compiled.run(&images).unwrap().into_first();
            let double: Vec<f64> = logits.iter().copied().map(f64::from).collect();
            let difference = relative_difference(&double, &expected);
            assert!(
                difference < tolerance,
                "{isa}, {precision:?}: {difference:.1e} of the largest logit, expected below \
                 {tolerance:.0e}"
            );
            let macs: u64 = compiled.steps().iter().map(|step| step.multiply_adds).sum();
            let is_large = macs / count as u64 > LARGE;
            if Some(isa) == fastest && precision == Precision::Fast {
                assert_same_bits(compiled, &images, &logits);
            }
            if is_large && Some(isa) != fastest {
                break;
            }
        }
    }
}

/// Checks that the logits are bit-identical for single images and for every number of threads.
fn assert_same_bits(mut compiled: Compiled, images: &[f32], expected: &[f32]) {
    let count = compiled.batch();
    for (image, expected) in images
        .chunks(images.len() / count)
        .zip(expected.chunks(expected.len() / count))
    {
        assert_eq!(compiled.run(image).unwrap().into_first(), expected);
    }
    if compiled.weight_bytes() > SMALL {
        return;
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    compiled.save(file.path()).unwrap();
    for threads in [1, 2, 3] {
        let mut loaded = Compiled::load(file.path(), Some(threads)).unwrap();
        let found = loaded.run(images).unwrap().into_first();
        assert_eq!(found, expected, "{threads} threads");
    }
}

/// Compares the forward pass on the flex backend with the compiled network, on every instruction
/// set.
struct CompareWithFlex;

impl Visit for CompareWithFlex {
    type Output = ();

    fn visit<C: NetworkConfig>(self, config: C) {
        let network = config.init(&devices::flex());
        let shape = config.input().shape();
        let noise = Distribution::Uniform(-1.0, 1.0);
        let images = Tensor::<4>::random(shape, noise, &devices::flex());
        let input: Vec<f32> = images.to_data().try_to_vec().unwrap();
        let expected: Vec<f64> = network.forward(images).into_data().iter().collect();
        for isa in Isa::available() {
            let options = Options {
                isa: Some(isa),
                ..Options::default()
            };
            let mut compiled = compile::compile(&network, shape, &options).unwrap();
            let logits = compiled.run(&input).unwrap().into_first();
            let found: Vec<f64> = logits.into_iter().map(f64::from).collect();
            let difference = relative_difference(&found, &expected);
            assert!(difference < 1e-4, "{isa}: {difference:.1e}");
        }
    }
}

pub fn trials() -> Vec<Trial> {
    let mut trials = slow_cases(
        "parity::compiled",
        Reference::names(),
        networks::is_first_of_its_type,
        assert_matches_pytorch,
    );
    trials.extend(cases(
        "without_reference::compiled",
        WITHOUT_REFERENCE,
        |name| {
            networks::visit(name, CompareWithFlex);
        },
    ));
    trials
}
