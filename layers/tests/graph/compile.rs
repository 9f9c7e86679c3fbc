//! Tests of compiled networks against their graphs, interpreted with Burn's operations.

use std::collections::{BTreeMap, HashSet};

use burn::tensor::{Device, Tensor, TensorData};
use proptest::prelude::*;
use receptive_layers::block::{ConvBlock, ConvBlockConfig};
use receptive_layers::compile::{
    Algorithm, CompileError, Compiled, Isa, Options, Precision, Problem, Tuning, WinogradTile,
};
use receptive_layers::graph::{Graph, Op, Origin, ValueData};

use crate::interpreter;
use crate::networks::{Branches, Residual, cpu};
use crate::noise::{self, noise};
use crate::random::{Random, layer_config};

/// Replaces the weights and running statistics by random numbers. The values of a new norm are all
/// 0 or 1.
fn randomize(graph: &mut Graph) {
    let variances: Vec<_> = (graph.nodes.iter())
        .filter(|node| matches!(node.op, Op::BatchNorm { .. }))
        .map(|node| node.inputs[4])
        .collect();
    let variances: Vec<bool> = graph.ids().map(|(id, _)| variances.contains(&id)).collect();
    for (seed, (value, variance)) in graph.values.iter_mut().zip(variances).enumerate() {
        if !matches!(value.origin, Origin::Parameter { .. }) {
            continue;
        }
        let fan_in: usize = match value.shape[..] {
            [_, ref fan_in @ ..] if fan_in.len() == 3 => fan_in.iter().product(),
            [fan_in, _] => fan_in,
            _ => 1,
        };
        let scale = (3.0 / fan_in as f32).sqrt().min(1.0);
        let values = noise(seed as u64, value.len()).into_iter();
        let values: Vec<f32> = values
            .map(|x| if variance { 1.0 + 0.5 * x } else { scale * x })
            .collect();
        value.data = Some(ValueData::Elements(TensorData::new(
            values,
            value.shape.clone(),
        )));
    }
}

/// Runs `compiled` on `count` images and returns every output.
fn run(compiled: &mut Compiled, images: &[f32], count: usize) -> Vec<Vec<f32>> {
    let shapes = compiled.outputs().iter();
    let mut outputs: Vec<Vec<f32>> = shapes
        .map(|shape| vec![f32::NAN; count * shape.iter().product::<usize>()])
        .collect();
    let mut slices: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    compiled
        .run_into(images, &mut slices)
        .expect("slices of the outputs' lengths");
    outputs
}

/// Returns the largest absolute difference, relative to the largest expected magnitude (at least
/// 1).
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    noise::difference(found, expected, noise::largest(expected))
}

/// Runs `graph` with Burn's operations and returns every output.
fn interpreted(graph: &Graph, images: &[f32]) -> Vec<Vec<f32>> {
    let &[batch, channels, height, width] = graph.shape(graph.input) else {
        panic!("expected images");
    };
    let shape = [batch, channels, height, width];
    let images = Tensor::from_data(TensorData::new(images.to_vec(), shape), &cpu());
    let outputs = interpreter::run(graph, images).into_iter();
    outputs
        .map(|output| output.into_data().try_to_vec().expect("single precision"))
        .collect()
}

/// Returns a Winograd algorithm for every convolution that supports one.
fn winograd_algorithms(
    graph: &Graph,
    options: &Options,
    compiled: &Compiled,
) -> BTreeMap<String, Algorithm> {
    let tiles = [
        WinogradTile::Four,
        WinogradTile::Two,
        WinogradTile::TwoOfFive,
    ];
    let mut algorithms = BTreeMap::new();
    for step in compiled.steps() {
        for tile in tiles {
            let mut options = options.clone();
            options.algorithms = BTreeMap::from([(step.name.clone(), Algorithm::Winograd(tile))]);
            match Compiled::from_graph(graph.clone(), &options) {
                Ok(_) => {
                    algorithms.extend(options.algorithms);
                    break;
                }
                Err(CompileError::UnknownLayer { .. }) => break,
                Err(CompileError::Layer {
                    problem: Problem::Algorithm { .. },
                    ..
                }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
    algorithms
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn compiled_networks_match_their_graphs(
        configs in prop::collection::vec(layer_config(), 0..7),
        batch in 1..4usize,
        size in [5..14usize, 5..14usize],
        mean in any::<bool>(),
        threads in 1..4usize,
    ) {
        let shape = [batch, 3, size[0], size[1]];
        let (network, _) = Random::init(&configs, shape, mean, &cpu());
        let mut graph = Graph::record(&network, shape, Random::outputs).expect("a network");
        randomize(&mut graph);
        let images = noise(7, shape.iter().product());
        let expected = interpreted(&graph, &images);

        for isa in Isa::available() {
            let mut options = Options {
                isa: Some(isa),
                threads: Some(threads),
                precision: Precision::Exact,
                ..Options::default()
            };
            let mut compiled = Compiled::from_graph(graph.clone(), &options).expect("a compiled network");
            prop_assert_eq!(compiled.batch(), batch);
            let exact = run(&mut compiled, &images, batch);
            for (found, expected) in exact.iter().zip(&expected) {
                let difference = difference(found, expected);
                prop_assert!(difference < 2e-5, "{isa}: {difference:.1e}");
            }

            // Batches of one image give bit-identical results.
            let len = images.len() / batch;
            for (image, values) in images.chunks(len).enumerate() {
                let one = run(&mut compiled, values, 1);
                for (one, all) in one.iter().zip(&exact) {
                    let in_batch = &all[image * one.len()..][..one.len()];
                    prop_assert_eq!(one, in_batch, "image {} on {}", image, isa);
                }
            }

            options.algorithms = winograd_algorithms(&graph, &options, &compiled);
            let mut winograd = Compiled::from_graph(graph.clone(), &options).expect("a compiled network");
            let fast = run(&mut winograd, &images, batch);
            for (found, expected) in fast.iter().zip(&expected) {
                let difference = difference(found, expected);
                prop_assert!(difference < 1e-4, "{isa}, Winograd: {difference:.1e}");
            }
        }
    }
}

#[test]
fn measured_algorithms_match_the_graph() {
    let mut graph = Graph::trace(Branches::init, [2, 3, 12, 12], Branches::forward).unwrap();
    randomize(&mut graph);
    let images = noise(3, 2 * 3 * 12 * 12);
    let expected = interpreted(&graph, &images).remove(0);
    let options = Options {
        tuning: Tuning::Measured,
        ..Options::default()
    };
    let mut compiled = Compiled::from_graph(graph, &options).unwrap();
    let found = compiled.run(&images).unwrap().into_first();
    assert!(difference(&found, &expected) < 1e-4);
}

/// The number of threads does not change the chosen algorithms. The batch size may, so all plans
/// use the algorithms of the plan for one image on one thread.
#[test]
fn results_are_bit_identical_for_all_thread_counts_and_batch_sizes() {
    let init = |device: &Device| -> Vec<ConvBlock> {
        let block = |channels, kernel, stride, groups| {
            ConvBlockConfig {
                stride,
                groups,
                ..ConvBlockConfig::new(channels, kernel)
            }
            .init(device)
        };
        vec![
            block([3, 64], 3, 2, 1),
            block([64, 64], 3, 1, 1),
            block([64, 64], 3, 1, 64),
            block([64, 64], 5, 1, 1),
            block([64, 512], 1, 2, 1),
            block([512, 512], 3, 1, 1),
        ]
    };
    let forward =
        |blocks: &Vec<ConvBlock>, images| blocks.iter().fold(images, |x, block| block.forward(x));
    let graph = Graph::trace(init, [1, 3, 28, 28], forward).unwrap();
    let images = noise(5, 8 * 3 * 28 * 28);
    let compile = |batch, threads, algorithms: &BTreeMap<_, _>| {
        let options = Options {
            batch: Some(batch),
            threads: Some(threads),
            algorithms: algorithms.clone(),
            ..Options::default()
        };
        Compiled::random(graph.clone(), 0, &options).unwrap()
    };
    let chosen = |compiled: &Compiled| -> BTreeMap<String, Algorithm> {
        let steps = compiled.steps().iter();
        steps
            .filter_map(|step| {
                let mut all = Algorithm::ALL.into_iter();
                let algorithm = all.find(|algorithm| algorithm.name() == step.algorithm)?;
                Some((step.name.clone(), algorithm))
            })
            .collect()
    };
    let algorithms = chosen(&compile(1, 1, &BTreeMap::new()));
    let kinds: HashSet<_> = algorithms.values().collect();
    assert!(kinds.len() >= 3, "{algorithms:?}");
    let run = |batch, threads| -> Vec<f32> {
        let mut compiled = compile(batch, threads, &algorithms);
        let batches = images.chunks(batch * 3 * 28 * 28);
        batches
            .flat_map(|images| compiled.run(images).unwrap().into_first())
            .collect()
    };
    let expected = run(1, 1);
    for threads in [2, 3, 16] {
        let by_default = chosen(&compile(1, threads, &BTreeMap::new()));
        assert_eq!(by_default, algorithms, "{threads} threads");
    }
    for batch in [1, 2, 8] {
        for threads in [1, 2, 3, 16] {
            assert!(
                run(batch, threads) == expected,
                "batches of {batch} on {threads} threads"
            );
        }
    }
}

#[test]
fn random_weights_depend_only_on_the_seed() {
    let run = |seed| {
        let graph = Graph::trace(Residual::init, [1, 3, 16, 16], Residual::forward).unwrap();
        let mut compiled = Compiled::random(graph, seed, &Options::default()).unwrap();
        compiled.run(&noise(1, 3 * 16 * 16)).unwrap().into_first()
    };
    assert!(run(1).iter().all(|x| x.is_finite()));
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn steps_have_names_and_costs_of_layers() {
    let graph = Graph::trace(Residual::init, [1, 3, 16, 16], Residual::forward).unwrap();
    let options = Options {
        precision: Precision::Exact,
        isa: Some(Isa::Scalar),
        ..Options::default()
    };
    let compiled = Compiled::random(graph, 0, &options).unwrap();
    let lines: Vec<String> = (compiled.steps().iter())
        .map(|step| {
            format!(
                "{} {} {} {}",
                step.name, step.algorithm, step.multiply_adds, step.bytes
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}
