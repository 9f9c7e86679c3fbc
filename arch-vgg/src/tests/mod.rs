use burn::tensor::{Device, Tensor};
use proptest::collection::vec;
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

/// Returns column A with narrow layers and batch norm.
fn thin() -> VggConfig {
    VggConfig {
        stages: [vec![4], vec![4], vec![8; 2], vec![8; 2], vec![8; 2]],
        hidden: 16,
        ..VggConfig::vgg11_bn().with_classes(5)
    }
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

/// Each variant's name, indices of its convolutions in torchvision's `features`, and parameters. In
/// the `-bn` variants a norm follows each convolution.
const CONVOLUTIONS: [(&str, &[usize], usize); 8] = [
    ("vgg11", &[0, 3, 6, 8, 11, 13, 16, 18], 132_863_336),
    ("vgg11-bn", &[0, 4, 8, 11, 15, 18, 22, 25], 132_868_840),
    ("vgg13", &[0, 2, 5, 7, 10, 12, 15, 17, 20, 22], 133_047_848),
    (
        "vgg13-bn",
        &[0, 3, 7, 10, 14, 17, 21, 24, 28, 31],
        133_053_736,
    ),
    (
        "vgg16",
        &[0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28],
        138_357_544,
    ),
    (
        "vgg16-bn",
        &[0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40],
        138_365_992,
    ),
    (
        "vgg19",
        &[0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34],
        143_667_240,
    ),
    (
        "vgg19-bn",
        &[0, 3, 7, 10, 14, 17, 20, 23, 27, 30, 33, 36, 40, 43, 46, 49],
        143_678_248,
    ),
];

#[test]
fn every_variant_has_the_tensors_of_torchvision() {
    let variants = VggConfig::variants();
    assert_eq!(variants.len(), CONVOLUTIONS.len());
    for (variant, (name, indices, count)) in variants.into_iter().zip(CONVOLUTIONS) {
        assert_eq!(variant.name, name);
        let mut expected = Vec::new();
        let mut channels = 3;
        for (index, width) in indices.iter().zip(variant.config.stages.concat()) {
            expected.push((
                format!("features.{index}.weight"),
                vec![width, channels, 3, 3],
            ));
            expected.push((format!("features.{index}.bias"), vec![width]));
            if name.ends_with("-bn") {
                for tensor in ["weight", "bias", "running_mean", "running_var"] {
                    expected.push((format!("features.{}.{tensor}", index + 1), vec![width]));
                }
            }
            channels = width;
        }
        for (index, shape) in [(0, [4096, 25088]), (3, [4096, 4096]), (6, [1000, 4096])] {
            expected.push((format!("classifier.{index}.weight"), shape.to_vec()));
            expected.push((format!("classifier.{index}.bias"), vec![shape[0]]));
        }
        expected.sort();
        let net = variant.config.init(&device());
        assert_eq!(tensors(&net), expected, "{name}");
        assert_eq!(net.num_trainable_params(), count, "{name}");

        let [checkpoint] = variant.checkpoints else {
            panic!("one checkpoint of {name}");
        };
        assert_eq!(checkpoint.parameters, count as u64);
        let digits = &checkpoint.sha256[..8];
        let file = format!("/{}-{digits}.pth", name.replace('-', "_"));
        assert!(checkpoint.url.ends_with(&file), "{}", checkpoint.url);
    }
}

#[test]
fn names_give_the_number_of_weight_layers() {
    for (name, indices, _) in CONVOLUTIONS {
        let depth = name.trim_start_matches("vgg").trim_end_matches("-bn");
        assert_eq!(depth.parse(), Ok(indices.len() + 3), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn parameters_and_feature_maps_match_the_configuration(
        widths in vec(vec(1_usize..5, 1..3), 5),
        batch_norm: bool,
        hidden in 1_usize..5,
        classes in 1_usize..5,
        height in 32_usize..70,
        width in 32_usize..70,
    ) {
        let stages: [Vec<usize>; 5] = widths.try_into().unwrap();
        let config = VggConfig { stages: stages.clone(), batch_norm, hidden, classes, dropout: 0.5 };
        let net = config.init(&device());

        let mut channels = 3;
        let mut count = 0;
        for width in stages.concat() {
            count += width * (9 * channels + 1 + 2 * usize::from(batch_norm));
            channels = width;
        }
        count += (channels * 49 + 1) * hidden + (hidden + 1) * hidden + (hidden + 1) * classes;
        prop_assert_eq!(net.num_trainable_params(), count);

        let images = Tensor::<4>::ones([2, 3, height, width], &device());
        let maps = net.features(images.clone());
        for (index, map) in maps.iter().enumerate() {
            let last = stages[index][stages[index].len() - 1];
            let halved = index + 1;
            prop_assert_eq!(map.dims(), [2, last, height >> halved, width >> halved]);
        }
        prop_assert_eq!(maps.len(), Vgg::STAGES.len());
        prop_assert_eq!(net.forward(images).dims(), [2, classes]);
    }
}

#[test]
fn the_smallest_image_is_32_pixels() {
    let input = VggConfig::vgg16().input();
    assert!(input.check([1, 3, 31, 224]).is_err());
    assert!(input.check([1, 3, 32, 32]).is_ok());
    assert_eq!(input.shape(), [1, 3, 224, 224]);
}

#[test]
fn with_classes_replaces_only_the_head() {
    let net = thin().init(&device());
    let tensors_before = tensors(&net);
    let net = net.with_classes(3).unwrap();
    for (before, after) in tensors_before.iter().zip(tensors(&net)) {
        let in_head = Vgg::HEAD.iter().any(|head| after.0.starts_with(head));
        assert_eq!(*before != after, in_head, "{}", after.0);
    }
    let images = Tensor::zeros([1, 3, 32, 32], &device());
    assert_eq!(net.forward(images).dims(), [1, 3]);
}

#[test]
fn initial_weights_match_torchvision() {
    let net = VggConfig {
        hidden: 64,
        ..VggConfig::vgg11()
    }
    .init(&device());
    let deviation = |values: Vec<f32>| {
        let squares: f64 = values.iter().map(|v| f64::from(*v).powi(2)).sum();
        (squares / values.len() as f64).sqrt()
    };
    let receptive_layers::block::MapLayer::Conv(conv) = &net.features[8] else {
        panic!("a convolution");
    };
    let expected = (2.0 / (256.0 * 9.0_f64)).sqrt();
    let found = deviation(values(conv.weight.val()));
    assert!((found / expected - 1.0).abs() < 0.01, "{found}");
    assert!(
        values(conv.bias.as_ref().unwrap().val())
            .iter()
            .all(|bias| *bias == 0.0)
    );
    let receptive_layers::block::VectorLayer::Linear(linear) = &net.classifier[0] else {
        panic!("a fully connected layer");
    };
    let found = deviation(values(linear.weight.val()));
    assert!((found / 0.01 - 1.0).abs() < 0.01, "{found}");
}

#[test]
fn the_stages_partition_the_features() {
    let net = VggConfig::vgg16_bn().init(&device());
    let modules: Vec<_> = Vgg::STAGES
        .iter()
        .flat_map(|stage| net.stage_modules(stage))
        .collect();
    let expected: Vec<_> = (0..44).map(|index| format!("features.{index}")).collect();
    assert_eq!(modules, expected);
}

#[test]
fn configurations_round_trip() {
    for config in [thin(), VggConfig::vgg19()] {
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<VggConfig>(&json).unwrap(), config);
    }
}

#[test]
fn invalid_fields_are_named() {
    let mut empty = thin();
    empty.stages[2].clear();
    let mut zero = thin();
    zero.stages[4][1] = 0;
    for (bad, field) in [
        (empty, "stages"),
        (zero, "stages"),
        (
            VggConfig {
                hidden: 0,
                ..thin()
            },
            "hidden",
        ),
        (
            VggConfig {
                dropout: 1.0,
                ..thin()
            },
            "dropout",
        ),
        (thin().with_classes(0), "classes"),
    ] {
        assert_eq!(bad.validate().unwrap_err().field, field);
    }
}

#[test]
fn frozen_stages_have_no_gradients_and_keep_their_running_statistics() {
    use receptive_layers::block::MapLayer;

    let device = device().autodiff();
    let net = thin().init(&device).freeze_through("conv2").unwrap();
    let images = Tensor::random(
        [2, 3, 64, 64],
        burn::tensor::Distribution::Normal(1.0, 1.0),
        &device,
    );
    let gradients = net.forward(images).sum().backward();
    for (index, layer) in net.features.iter().enumerate() {
        // The frozen stages conv1 and conv2 have four layers each.
        let trained = index >= 8;
        match layer {
            MapLayer::Conv(conv) => {
                let gradient = conv.weight.val().grad(&gradients);
                assert_eq!(gradient.is_some(), trained, "features.{index}");
            }
            MapLayer::Norm(norm) => {
                let changed = values(norm.running_mean.value_sync())
                    .iter()
                    .any(|mean| *mean != 0.0);
                assert_eq!(changed, trained, "features.{index}");
            }
            // Without parameters.
            _ => {}
        }
    }
}
