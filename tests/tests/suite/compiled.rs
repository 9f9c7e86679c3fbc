//! Properties of compiled networks that depend on the network.

use receptive_layers::compile::{self, Compiled, Options, Tuning};
use receptive_layers::network::NetworkConfig;
use receptive_tests::networks::{self, Visit};
use receptive_tests::reference::{Reference, relative_difference};
use receptive_tests::{devices, formula, recorded};

/// The measured tuning selects the algorithms by their time on this machine.
#[test]
fn measured_algorithms_match_pytorch() {
    for name in ["resnet18", "mobilenet-v2"] {
        let reference = Reference::read(name);
        let [count, ..] = reference.input;
        let images = formula::images(&reference.salt, reference.input);
        let options = Options {
            tuning: Tuning::Measured,
            ..Options::default()
        };
        let graph = recorded::graph(&reference, count);
        let mut compiled = Compiled::from_graph(graph, &options).unwrap();
        let logits = compiled
            .run(&images)
            .unwrap()
            .into_first()
            .into_iter()
            .map(f64::from);
        let logits: Vec<f64> = logits.collect();
        let difference = relative_difference(&logits, &reference.logits.concat());
        assert!(
            difference < 1e-4,
            "{name}: {difference:.1e} of the largest logit"
        );
    }
}

/// The compiler folds the partial connections of C3 into one convolution, subsampling and its
/// squashing function into another, and constant factors into weights.
#[test]
fn lenet_of_1998_is_a_step_for_each_layer() {
    struct Steps;

    impl Visit for Steps {
        type Output = Vec<String>;

        fn visit<C: NetworkConfig>(self, config: C) -> Vec<String> {
            let network = config.init(&devices::flex());
            let compiled =
                compile::compile(&network, config.input().shape(), &Options::default()).unwrap();
            let steps = compiled.steps().iter();
            steps
                .map(|step| format!("{} {}", step.name, step.algorithm))
                .collect()
        }
    }

    let steps = networks::visit("lenet5-1998", Steps).join("\n");
    insta::assert_snapshot!(steps);
}
