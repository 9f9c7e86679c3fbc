use burn::module::Module;
use burn::tensor::{Device, Tensor};
use proptest::prelude::*;
use receptive_layers::weights;

use super::*;

fn device() -> Device {
    Device::flex()
}

/// Returns the names and shapes of the tensors in a weight file of `network`, sorted by name.
fn tensors<N: Network>(network: &N) -> Vec<(String, Vec<usize>)> {
    weights::shapes(network).into_iter().collect()
}

/// Returns the paper's network with narrow fully connected layers, which initialise fast.
fn thin() -> AlexNetConfig {
    AlexNetConfig {
        hidden: 16,
        ..AlexNetConfig::alexnet().with_classes(5)
    }
}

/// Returns torchvision's network with narrow fully connected layers.
fn thin_torchvision() -> AlexNetTorchvisionConfig {
    AlexNetTorchvisionConfig {
        hidden: 16,
        ..AlexNetTorchvisionConfig::alexnet_torchvision().with_classes(5)
    }
}

fn shapes(maps: Vec<Tensor<4>>) -> Vec<[usize; 4]> {
    maps.iter().map(Tensor::dims).collect()
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

/// Returns the names and shapes of the weights and biases of layers given by name and weight shape,
/// sorted by name.
fn with_biases(layers: &[(&str, &[usize])]) -> Vec<(String, Vec<usize>)> {
    let mut expected: Vec<_> = layers
        .iter()
        .flat_map(|(name, weight)| {
            [
                (format!("{name}.weight"), weight.to_vec()),
                (format!("{name}.bias"), vec![weight[0]]),
            ]
        })
        .collect();
    expected.sort();
    expected
}

#[test]
fn alexnet_has_the_tensors_of_the_reference() {
    for (config, inputs, count) in [
        (AlexNetConfig::alexnet(), [96, 384, 384], 62_378_344),
        (AlexNetConfig::alexnet_grouped(), [48, 192, 192], 60_965_224),
    ] {
        let net = config.init(&device());
        let expected = with_biases(&[
            ("conv1", &[96, 3, 11, 11]),
            ("conv2", &[256, inputs[0], 5, 5]),
            ("conv3", &[384, 256, 3, 3]),
            ("conv4", &[384, inputs[1], 3, 3]),
            ("conv5", &[256, inputs[2], 3, 3]),
            ("fc6", &[4096, 9216]),
            ("fc7", &[4096, 4096]),
            ("fc8", &[1000, 4096]),
        ]);
        assert_eq!(tensors(&net), expected);
        assert_eq!(net.num_trainable_params(), count);
        assert_eq!(net.num_params(), count);
    }
}

#[test]
fn alexnet_torchvision_has_the_tensors_of_torchvision() {
    let net = AlexNetTorchvisionConfig::alexnet_torchvision().init(&device());
    let expected = with_biases(&[
        ("features.0", &[64, 3, 11, 11]),
        ("features.3", &[192, 64, 5, 5]),
        ("features.6", &[384, 192, 3, 3]),
        ("features.8", &[256, 384, 3, 3]),
        ("features.10", &[256, 256, 3, 3]),
        ("classifier.1", &[4096, 9216]),
        ("classifier.4", &[4096, 4096]),
        ("classifier.6", &[1000, 4096]),
    ]);
    assert_eq!(tensors(&net), expected);
    assert_eq!(net.num_trainable_params(), 61_100_840);
}

#[test]
fn weights_are_drawn_at_first_use() {
    let net = AlexNetConfig::alexnet().init(&device());
    assert!(!net.fc6.weight.is_initialized());
    let net = net.with_classes(10).unwrap();
    assert!(!net.fc8.weight.is_initialized());
}

#[test]
fn stages_have_the_published_shapes() {
    let images = Tensor::zeros([1, 3, 227, 227], &device());
    let net = thin().init(&device());
    assert_eq!(
        shapes(net.features(images.clone())),
        [
            [1, 96, 27, 27],
            [1, 256, 13, 13],
            [1, 384, 13, 13],
            [1, 384, 13, 13],
            [1, 256, 6, 6]
        ]
    );
    assert_eq!(net.forward(images).dims(), [1, 5]);

    let images = Tensor::zeros([2, 3, 224, 224], &device());
    let net = thin_torchvision().init(&device());
    assert_eq!(
        shapes(net.features(images.clone())),
        [
            [2, 64, 27, 27],
            [2, 192, 13, 13],
            [2, 384, 13, 13],
            [2, 256, 13, 13],
            [2, 256, 6, 6]
        ]
    );
    assert_eq!(net.forward(images).dims(), [2, 5]);
}

#[test]
fn the_smallest_image_gives_maps_of_one_pixel() {
    let config = thin_torchvision();
    let input = config.input();
    assert!(input.check([1, 3, 62, 200]).is_err());
    assert!(input.check([1, 3, 63, 63]).is_ok());
    let maps = config
        .init(&device())
        .features(Tensor::zeros([1, 3, 63, 63], &device()));
    assert_eq!(maps[4].dims(), [1, 256, 1, 1]);
}

#[test]
fn an_output_channel_reads_only_its_group() {
    let net = AlexNetConfig {
        groups: 2,
        ..thin()
    }
    .init(&device());
    let zeros = Tensor::<4>::zeros([1, 96, 27, 27], &device());
    let ones = zeros.clone().slice_assign(
        [0..1, 0..48, 0..27, 0..27],
        Tensor::ones([1, 48, 27, 27], &device()),
    );
    let from_zeros = values(net.conv2.forward(zeros));
    let from_ones = values(net.conv2.forward(ones));
    let half = 128 * 27 * 27;
    assert_ne!(from_zeros[..half], from_ones[..half]);
    assert_eq!(from_zeros[half..], from_ones[half..]);
}

#[test]
fn initial_weights_and_biases_follow_section_5() {
    let net = thin().init(&device());
    let bias = |bias: &Option<burn::module::Param<Tensor<1>>>| {
        let values = values(bias.as_ref().unwrap().val());
        assert!(values.iter().all(|value| *value == values[0]));
        values[0]
    };
    let convolutions = [&net.conv1, &net.conv2, &net.conv3, &net.conv4, &net.conv5];
    assert_eq!(
        convolutions.map(|conv| bias(&conv.bias)),
        [0.0, 1.0, 0.0, 1.0, 1.0]
    );
    assert_eq!(
        [&net.fc6, &net.fc7, &net.fc8].map(|fc| bias(&fc.bias)),
        [1.0, 1.0, 0.0]
    );

    let weights = values(net.conv3.weight.val());
    let count = weights.len() as f64;
    let mean = weights.iter().map(|w| f64::from(*w)).sum::<f64>() / count;
    let variance = weights.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>() / count;
    assert!(mean.abs() < 1e-4, "{mean}");
    assert!((variance.sqrt() - 0.01).abs() < 1e-4, "{variance}");
}

#[test]
fn with_classes_replaces_only_the_head() {
    let net = thin().init(&device());
    let before = values(net.fc7.weight.val());
    let net = net.with_classes(3).unwrap();
    assert_eq!(values(net.fc7.weight.val()), before);
    assert_eq!(net.fc8.weight.lazy_shape().to_vec(), [16, 3]);
    assert_eq!(AlexNet::HEAD, ["fc8"]);

    let net = thin_torchvision().init(&device()).with_classes(3).unwrap();
    let images = Tensor::zeros([1, 3, 64, 64], &device());
    assert_eq!(net.forward(images).dims(), [1, 3]);
    let (head, _) = tensors(&net)
        .into_iter()
        .find(|(_, shape)| *shape == [3, 16])
        .unwrap();
    assert_eq!(head, "classifier.6.weight");
    assert_eq!(AlexNetTorchvision::HEAD, ["classifier.6"]);
}

#[test]
fn configurations_round_trip() {
    for config in [AlexNetConfig::alexnet_grouped(), thin()] {
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(
            serde_json::from_str::<AlexNetConfig>(&json).unwrap(),
            config
        );
    }
    let config = thin_torchvision();
    let json = serde_json::to_string(&config).unwrap();
    assert_eq!(
        serde_json::from_str::<AlexNetTorchvisionConfig>(&json).unwrap(),
        config
    );
}

#[test]
fn invalid_fields_are_named() {
    let good = AlexNetConfig::alexnet();
    for (bad, field) in [
        (
            AlexNetConfig {
                groups: 0,
                ..good.clone()
            },
            "groups",
        ),
        (
            AlexNetConfig {
                groups: 3,
                ..good.clone()
            },
            "groups",
        ),
        (
            AlexNetConfig {
                hidden: 0,
                ..good.clone()
            },
            "hidden",
        ),
        (
            AlexNetConfig {
                dropout: 1.0,
                ..good.clone()
            },
            "dropout",
        ),
        (
            AlexNetConfig {
                dropout: f64::NAN,
                ..good.clone()
            },
            "dropout",
        ),
        (
            AlexNetConfig {
                classes: 0,
                ..good.clone()
            },
            "classes",
        ),
    ] {
        assert_eq!(bad.validate().unwrap_err().field, field);
    }
    let good = AlexNetTorchvisionConfig::alexnet_torchvision();
    for (bad, field) in [
        (
            AlexNetTorchvisionConfig {
                hidden: 0,
                ..good.clone()
            },
            "hidden",
        ),
        (
            AlexNetTorchvisionConfig {
                dropout: -0.1,
                ..good.clone()
            },
            "dropout",
        ),
        (
            AlexNetTorchvisionConfig {
                classes: 0,
                ..good.clone()
            },
            "classes",
        ),
    ] {
        assert_eq!(bad.validate().unwrap_err().field, field);
    }
}

proptest! {
    #[test]
    fn every_valid_configuration_builds(groups in 0_usize..70, hidden in 0_usize..5, classes in 0_usize..5) {
        let config = AlexNetConfig { groups, hidden, classes, dropout: 0.0 };
        if config.validate().is_ok() {
            let inputs = 96 / groups;
            let net = config.init(&device());
            prop_assert_eq!(net.conv2.weight.lazy_shape().to_vec(), [256, inputs, 5, 5]);
            prop_assert_eq!(net.fc8.weight.lazy_shape().to_vec(), [hidden, classes]);
        } else {
            prop_assert!(hidden == 0 || classes == 0 || ![1, 2, 4, 8, 16, 32].contains(&groups));
        }
    }
}

#[test]
fn variants_and_checkpoints_match_the_networks() {
    let names: Vec<_> = AlexNetConfig::variants().iter().map(|v| v.name).collect();
    assert_eq!(names, ["alexnet", "alexnet-grouped"]);
    let [torchvision] = &AlexNetTorchvisionConfig::variants()[..] else {
        panic!("one variant");
    };
    assert_eq!(torchvision.name, "alexnet-torchvision");
    let [checkpoint] = torchvision.checkpoints else {
        panic!("one checkpoint");
    };
    let net = torchvision.config.init(&device());
    assert_eq!(checkpoint.parameters, net.num_trainable_params() as u64);
    assert!(
        checkpoint
            .url
            .ends_with(&format!("-{}.pth", &checkpoint.sha256[..8]))
    );
}

#[test]
fn only_the_stages_after_the_frozen_stages_have_gradients() {
    let device = device().autodiff();
    let net = thin_torchvision()
        .init(&device)
        .freeze_through("conv2")
        .unwrap();
    let images = Tensor::ones([1, 3, 64, 64], &device);
    let gradients = net.forward(images).sum().backward();
    let trained = |index: usize| match &net.features[index] {
        receptive_layers::block::MapLayer::Conv(conv) => {
            conv.bias.as_ref().unwrap().val().grad(&gradients).is_some()
        }
        layer => panic!("{layer:?}"),
    };
    assert_eq!(
        [0, 3, 6, 8, 10].map(trained),
        [false, false, true, true, true]
    );
}

#[test]
fn dropout_acts_only_in_training() {
    let images = Tensor::<4>::ones([1, 3, 64, 64], &device());
    let net = thin_torchvision().init(&device());
    let twice = [0, 1].map(|_| values(net.forward(images.clone())));
    assert_eq!(twice[0], twice[1]);

    let device = device().autodiff();
    let images = Tensor::<4>::ones([1, 3, 64, 64], &device);
    let training = net.train();
    let twice = [0, 1].map(|_| values(training.forward(images.clone())));
    assert_ne!(twice[0], twice[1]);
}
