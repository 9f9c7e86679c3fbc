//! Property tests on random chains, and on random graphs of all operations that can be compiled,
//! with shared values and several outputs: a compiled network computes what Burn's flex backend
//! computes, and the summary counts the costs of the layers that the outputs depend on.

mod builder;
mod module;

use burn::tensor::{Tensor, TensorData};
use proptest::prelude::*;
use receptive_kernels::cost::Cost;
use receptive_layers::compile::{Compiled, Isa, Options, Precision};
use receptive_layers::graph::Graph;
use receptive_layers::summary::Summary;

use crate::networks::cpu;
use crate::noise::{difference, largest, noise};
use crate::random::{Random, layer_config};
use builder::{Builder, Numbers};
use module::RandomGraph;

/// Options with which a random graph is compiled.
#[derive(Debug, Clone)]
struct Setting {
    images: usize,
    /// Batch size of the plan, if it is not the recorded one.
    batch: Option<usize>,
    threads: usize,
    exact: bool,
    /// Chooses an instruction set of the machine.
    isa: usize,
}

fn setting() -> impl Strategy<Value = Setting> {
    (
        1..3usize,
        prop::option::of(1..5usize),
        1..3usize,
        any::<bool>(),
        any::<usize>(),
    )
        .prop_map(|(images, batch, threads, exact, isa)| Setting {
            images,
            batch: batch.filter(|&batch| batch >= images),
            threads,
            exact,
            isa,
        })
}

/// Builds the graph of `steps` for images of `shape`, which returns the values `outputs`.
fn build(shape: [usize; 4], steps: &[Numbers], outputs: &[usize], head: [bool; 2]) -> Builder {
    let images = TensorData::new(noise(5, shape.iter().product()), shape);
    let mut builder = Builder::new(Tensor::from_data(images, &cpu()));
    for numbers in steps {
        builder.add(numbers);
    }
    let count = builder.values.len();
    builder.graph.outputs = outputs.iter().map(|output| output % count).collect();
    if head[0] {
        builder.add_head(head[1]);
    } else {
        builder.graph.outputs.push(count - 1);
    }
    builder
}

/// Compiles `graph` and compares its outputs for `images` with the `expected` ones, relative to
/// `largest`.
fn check_outputs(
    graph: Graph,
    images: Tensor<4>,
    expected: &[Vec<f32>],
    largest: f32,
    setting: &Setting,
) -> Result<(), TestCaseError> {
    prop_assert!(graph.any_batch);
    let isas: Vec<Isa> = Isa::available().collect();
    let options = Options {
        batch: setting.batch,
        threads: Some(setting.threads),
        precision: match setting.exact {
            true => Precision::Exact,
            false => Precision::Fast,
        },
        isa: Some(isas[setting.isa % isas.len()]),
        ..Options::default()
    };
    let compiled = Compiled::from_graph(graph, &options);
    let mut compiled = compiled.map_err(|error| TestCaseError::fail(error.to_string()))?;
    let images: Vec<f32> = images.into_data().try_to_vec().expect("single precision");
    let found = compiled.run(&images).expect("a batch of images");
    prop_assert_eq!(found.iter().count(), expected.len());
    for ((name, found), expected) in found.iter().zip(expected) {
        let difference = difference(found, expected, largest);
        prop_assert!(
            difference < 2e-4,
            "{}: {:.1e} of {}",
            name,
            difference,
            largest
        );
    }
    Ok(())
}

/// Returns the number of random cases: `least`, or more by the variable `PROPTEST_CASES`.
fn cases(least: u32) -> u32 {
    ProptestConfig::default().cases.max(least)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(2500)))]

    #[test]
    fn compiled_graphs_compute_what_burn_computes(
        steps in prop::collection::vec(any::<Numbers>(), 1..10),
        outputs in prop::collection::vec(any::<usize>(), 0..4),
        head in any::<[bool; 2]>(),
        channels in prop::sample::select(vec![1, 3, 8, 16, 20]),
        size in [1..9usize, 1..9usize],
        setting in setting(),
    ) {
        let shape = [setting.images, channels, size[0], size[1]];
        let builder = build(shape, &steps, &outputs, head);
        let graph = Graph::record(&builder.graph, shape, RandomGraph::forward);
        let graph = graph.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let summary = Summary::from_graph(&graph, "random").expect("small costs");
        let (macs, parameters) = builder.direct_counts();
        prop_assert_eq!(summary.macs, macs);
        prop_assert_eq!(summary.parameters + summary.fixed, parameters);
        prop_assert_eq!(summary.uncounted, Vec::<String>::new());

        let images = builder.values[0].clone();
        let expected = builder.graph.forward(images.clone()).into_vectors();
        // Differences of large values have their rounding errors.
        let magnitudes = builder.values.iter().map(|value| value.clone().abs().max());
        let largest = magnitudes.map(|most| most.into_scalar::<f32>()).fold(1.0, f32::max);
        check_outputs(graph, images, &expected, largest, &setting)?;
    }

    #[test]
    fn compiled_chains_compute_what_burn_computes(
        configs in prop::collection::vec(layer_config(), 0..9),
        size in [5..14usize, 5..14usize],
        mean in any::<bool>(),
        setting in setting(),
    ) {
        let shape = [setting.images, 3, size[0], size[1]];
        let (network, costs) = Random::init(&configs, shape, mean, &cpu());
        let graph = Graph::record(&network, shape, Random::outputs);
        let graph = graph.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let summary = Summary::from_graph(&graph, "random").expect("small costs");
        let macs = Cost::sum(costs).expect("small costs").macs;
        prop_assert_eq!(summary.macs, macs * setting.images as u64);

        let numbers = TensorData::new(noise(5, shape.iter().product()), shape);
        let images = Tensor::from_data(numbers, &cpu());
        let (maps, classes) = network.outputs(images.clone());
        let expected = [maps.into_data(), classes.into_data()]
            .map(|data| data.try_to_vec::<f32>().expect("single precision"));
        check_outputs(graph, images, &expected, largest(&expected[0]), &setting)?;
    }
}
