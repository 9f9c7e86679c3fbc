//! Named outputs of compiled networks: logits, embedding and stages, against the module.

use burn::tensor::{Distribution, Tensor};
use libtest_mimic::Trial;
use receptive_layers::compile::{Options, compile_outputs};
use receptive_layers::explain::ClassWeights;
use receptive_layers::graph::{EMBEDDING, Graph, LOGITS};
use receptive_layers::network::{Network, NetworkConfig};
use receptive_tests::devices;
use receptive_tests::networks::{self, Visit};
use receptive_tests::reference::relative_difference;

use crate::cases;

/// Networks with fully connected layers after the last feature maps.
const WITHOUT_GLOBAL_MEAN: [&str; 5] = [
    "alexnet",
    "alexnet-torchvision",
    "lenet5",
    "lenet5-1998",
    "vgg11-bn",
];

/// Compares every output of a plan with the module's, and checks that the layers that several outputs
/// need are recorded once.
struct Outputs<'a>(&'a str);

impl Visit for Outputs<'_> {
    type Output = ();

    fn visit<C: NetworkConfig>(self, config: C) {
        let Self(name) = self;
        let device = devices::flex();
        let network = config.init(&device);
        let shape = config.input().shape();
        let images = Tensor::<4>::random(shape, Distribution::Uniform(-1.0, 1.0), &device);
        let pixels: Vec<f32> = images.to_data().try_to_vec().unwrap();

        let stages = C::Network::STAGES.iter().map(|stage| stage.name);
        let names: Vec<&str> = stages.clone().chain([EMBEDDING, LOGITS]).collect();
        let options = Options::default();
        let mut plan = compile_outputs(&network, shape, &names, &options).unwrap();
        assert_eq!(plan.output_names(), names);
        let found = plan.run(&pixels).unwrap();

        let assert_close = |output: &str, expected: Vec<f64>| {
            let found: Vec<f64> = found[output].iter().copied().map(f64::from).collect();
            let difference = relative_difference(&found, &expected);
            assert!(difference < 1e-4, "{name}, {output}: {difference:.1e}");
        };
        let embedding = network.embed(images.clone());
        assert_close(EMBEDDING, embedding.to_data().iter().collect());
        assert_close(
            LOGITS,
            network.classify(embedding).into_data().iter().collect(),
        );
        let maps = network.features(images);
        let last = maps[C::Network::LAST_MAPS].clone();
        let [_, channels, height, width] = last.dims();
        let weights = ClassWeights::of(&network, [channels, height, width], &device);
        let has_weights = weights.expect("no error").is_some();
        assert_eq!(has_weights, !WITHOUT_GLOBAL_MEAN.contains(&name), "{name}");
        let embedding = network.embed_maps(last).into_data().iter().collect();
        assert_close(EMBEDDING, embedding);
        for (stage, maps) in stages.zip(maps) {
            assert_close(stage, maps.into_data().iter().collect());
        }

        let nodes = |outputs: &[&str]| {
            let graph = Graph::trace_network(|device| config.init(device), shape, outputs).unwrap();
            graph
                .nodes
                .into_iter()
                .map(|node| node.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(nodes(&names), nodes(&[LOGITS]), "{name}");
    }
}

pub fn trials() -> Vec<Trial> {
    cases("outputs", networks::one_of_each_type(), |name| {
        networks::visit(name, Outputs(name));
    })
}
