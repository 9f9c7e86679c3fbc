use burn::tensor::{Device, Tensor, TensorData};
use proptest::prelude::*;
use receptive_layers::graph::Graph;
use receptive_layers::network::{Network, NetworkConfig};
use receptive_layers::weights::{self, Heads, StateDict};
use receptive_lenet::LeNet5Config;

use super::{
    WEIGHTS, assert_explained, changed_units, digits, receptive_field_contains, unit,
    with_random_weights,
};
use crate::chain::InputFrame;
use crate::explorer::Explorer;

#[test]
fn layers_match_the_paper() {
    let explorer = Explorer::lenet5(WEIGHTS).unwrap();
    let layers: Vec<String> = explorer
        .layers()
        .map(|layer| {
            let [channels, height, width] = layer.shape;
            let source = layer.source;
            format!(
                "{} {} {channels}x{height}x{width} of {source}",
                layer.name, layer.label
            )
        })
        .collect();
    assert_eq!(
        layers,
        [
            "input input 1x32x32 of -1",
            "c1 conv 5x5 6x28x28 of 0",
            "tanh1 tanh 6x28x28 of 1",
            "avgpool1 avg pool 2x2/2 6x14x14 of 2",
            "c3 conv 5x5 16x10x10 of 3",
            "tanh2 tanh 16x10x10 of 4",
            "avgpool2 avg pool 2x2/2 16x5x5 of 5",
            "c5 conv 5x5 120x1x1 of 6",
            "tanh3 tanh 120x1x1 of 7",
            "f6 fully connected 84x1x1 of 8",
            "tanh4 tanh 84x1x1 of 9",
            "output fully connected 10x1x1 of 10",
        ]
    );
}

#[test]
fn preprocessing_matches_the_recipe() {
    let recipe = LeNet5Config::variants()[0].recipe;
    let recipe: toml::Table = recipe.text.parse().unwrap();
    let data = recipe["data"].as_table().unwrap();
    let pad = "evaluate = [{ kind = \"pad\", pixels = 2 }]";
    let pad: toml::Table = pad.parse().unwrap();
    assert_eq!(data["evaluate"], pad["evaluate"]);
    let first = |name: &str| {
        data["normalise"][name].as_array().unwrap()[0]
            .as_float()
            .unwrap()
    };
    let frame = InputFrame::LENET5;
    assert_eq!(
        (frame.mean, frame.std),
        (first("mean") as f32, first("std") as f32)
    );
    assert_eq!((frame.size, frame.padding), (28, 2));
}

#[test]
fn validation_accuracy_is_at_least_98_percent() {
    let mut explorer = Explorer::lenet5(WEIGHTS).unwrap();
    let digits = digits();
    let correct = digits.iter().filter(|(drawing, label)| {
        let probabilities = explorer.run(drawing).unwrap();
        let best = (0..10).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
        best == Some(*label)
    });
    let correct = correct.count();
    assert_eq!(digits.len(), 1500);
    assert!(
        correct * 100 >= digits.len() * 98,
        "{correct} of {}",
        digits.len()
    );
}

#[test]
fn values_match_the_burn_forward() {
    let device = Device::flex();
    let dictionary = StateDict::from_bytes(WEIGHTS).unwrap();
    let network = LeNet5Config::lenet5().init(&device);
    let network = weights::load(network, &dictionary, Heads::Load).unwrap();
    let mut explorer = Explorer::lenet5(WEIGHTS).unwrap();
    for (drawing, _) in digits().iter().step_by(97) {
        let probabilities = explorer.run(drawing).unwrap();
        let total: f32 = probabilities.iter().sum();
        assert!((total - 1.0).abs() < 1e-5);
        let input = explorer.values(0).unwrap().to_vec();
        let input = Tensor::<4>::from_data(TensorData::new(input, [1, 1, 32, 32]), &device);
        let mut expected: Vec<(&str, Vec<f32>)> =
            ["tanh1", "avgpool1", "tanh2", "avgpool2", "tanh3"]
                .into_iter()
                .zip(network.features(input.clone()))
                .map(|(name, map)| (name, map.into_data().try_to_vec().unwrap()))
                .collect();
        let logits = Network::forward(&network, input);
        expected.push(("output", logits.into_data().try_to_vec().unwrap()));
        for (name, expected) in expected {
            let layer = explorer.layers().find(|layer| layer.name == name).unwrap();
            let found = explorer.values(layer.index).unwrap();
            assert_eq!(found.len(), expected.len(), "{name}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found - expected).abs() < 1e-4,
                    "{name}: {found}, expected {expected}"
                );
            }
        }
    }
}

/// Returns LeNet-5 with random weights so small that no unit saturates.
fn unsaturated_lenet5() -> Explorer {
    let graph = Graph::trace(
        |device| LeNet5Config::lenet5().init(device),
        [1, 1, 32, 32],
        Network::forward,
    );
    Explorer::from_graph(
        with_random_weights(graph.unwrap(), 7, 0.1),
        InputFrame::LENET5,
    )
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn explanations_add_up_to_the_value(
        digit in 0_usize..1500,
        indices in proptest::collection::vec(any::<usize>(), 24),
    ) {
        let mut explorer = Explorer::lenet5(WEIGHTS).unwrap();
        explorer.run(&digits()[digit].0).unwrap();
        let layers: Vec<_> = explorer.layers().cloned().collect();
        for (info, index) in layers.iter().cycle().zip(indices) {
            assert_explained(&explorer, unit(info, index));
        }
    }

    #[test]
    fn a_pixel_changes_only_units_whose_receptive_field_contains_it(
        pixel in 0_usize..784, ink in 0.0_f32..1.0,
    ) {
        let mut explorer = unsaturated_lenet5();
        let drawing: Vec<f32> = (0..784).map(|i| ink * (i % 7) as f32 / 7.0).collect();
        let layers: Vec<_> = explorer.layers().cloned().collect();
        for info in &layers {
            let changed = changed_units(&mut explorer, info.index, &drawing, pixel);
            let (mut inside_count, mut changed_count) = (0, 0);
            for (index, changed) in changed.into_iter().enumerate() {
                let unit = unit(info, index);
                let explanation = explorer.explain(unit).unwrap();
                let inside = receptive_field_contains(&explanation, 28, pixel);
                prop_assert!(!changed || inside, "{} {unit:?}", info.name);
                inside_count += usize::from(inside);
                changed_count += usize::from(changed);
            }
            // In deep layers the contribution of one pixel may be lost in rounding.
            prop_assert!(
                10 * changed_count >= 9 * inside_count,
                "{}: {changed_count} of {inside_count}",
                info.name
            );
        }
    }
}
