use burn::tensor::{Device, Tensor};
use proptest::prelude::*;
use receptive_layers::network::{Network, NetworkConfig};

use super::noise;
use crate::{Block, CifarResNetConfig, ResNetConfig, Shortcut};

/// Returns the shapes of `maps`.
fn dims(maps: &[Tensor<4>]) -> Vec<[usize; 4]> {
    maps.iter().map(|x| x.dims()).collect()
}

#[test]
fn stages_have_the_sizes_of_table_1() {
    let device = Device::flex();
    let images = noise([1, 3, 224, 224], &device);
    let basic = ResNetConfig::resnet18().init(&device);
    assert_eq!(
        dims(&basic.features(images)),
        [
            [1, 64, 112, 112],
            [1, 64, 56, 56],
            [1, 128, 28, 28],
            [1, 256, 14, 14],
            [1, 512, 7, 7]
        ]
    );
    let images = noise([2, 3, 64, 96], &device);
    let expected = [
        [2, 64, 32, 48],
        [2, 256, 16, 24],
        [2, 512, 8, 12],
        [2, 1024, 4, 6],
        [2, 2048, 2, 3],
    ];
    for config in [ResNetConfig::resnet50(), ResNetConfig::resnet50_v1()] {
        let network = config.init(&device);
        assert_eq!(dims(&network.features(images.clone())), expected);
        assert_eq!(network.forward(images.clone()).dims(), [2, 1000]);
    }
}

#[test]
fn the_smallest_images_are_accepted() {
    let device = Device::flex();
    for size in [[1, 1], [1, 5], [2, 3]] {
        let images = noise([1, 3, size[0], size[1]], &device);
        let network = ResNetConfig::resnet18().init(&device);
        assert_eq!(network.forward(images.clone()).dims(), [1, 1000]);
        let network = CifarResNetConfig::resnet20().init(&device);
        assert_eq!(network.forward(images).dims(), [1, 10]);
    }
}

#[test]
fn the_stride_is_on_the_configured_convolution() {
    let device = Device::flex();
    let strides = |config: ResNetConfig| match &config.init(&device).layer2[0] {
        Block::Bottleneck(block) => (block.conv1.stride[0], block.conv2.stride[0]),
        Block::Basic(_) => panic!("ResNet-50 has bottlenecks"),
    };
    assert_eq!(strides(ResNetConfig::resnet50()), (1, 2));
    assert_eq!(strides(ResNetConfig::resnet50_v1()), (2, 1));
}

#[test]
fn with_classes_replaces_only_the_head() {
    let device = Device::flex();
    let images = noise([2, 3, 32, 32], &device);
    let network = CifarResNetConfig::resnet20().init(&device);
    let before = network.features(images.clone());
    let network = network.with_classes(3).unwrap();
    assert_eq!(network.forward(images.clone()).dims(), [2, 3]);
    for (before, after) in before.into_iter().zip(network.features(images)) {
        assert_eq!(before.into_data(), after.into_data());
    }
}

#[test]
fn freezing_affects_only_the_first_stages() {
    let device = Device::flex().autodiff();
    let network = CifarResNetConfig::resnet20().init(&device);
    let frozen = network.freeze_through("conv2_x").unwrap();
    let loss = frozen.forward(noise([2, 3, 8, 8], &device)).sum();
    let gradients = loss.backward();

    let trains = |conv: &burn::nn::conv::Conv2d| conv.weight.val().grad(&gradients).is_some();
    assert!(!trains(&frozen.conv1));
    assert!(
        frozen
            .layer1
            .iter()
            .all(|b| !trains(&b.conv1) && !trains(&b.conv2))
    );
    assert!(
        frozen
            .layer2
            .iter()
            .all(|b| trains(&b.conv1) && trains(&b.conv2))
    );
    assert!(
        frozen
            .layer3
            .iter()
            .all(|b| trains(&b.conv1) && trains(&b.conv2))
    );

    let mean = |bn: &burn::nn::BatchNorm| bn.running_mean.value_sync().into_data();
    let zeros = |n: usize| Tensor::<1>::zeros([n], &device).into_data();
    assert_eq!(mean(&frozen.bn1), zeros(16));
    assert_eq!(mean(&frozen.layer1[2].bn2), zeros(16));
    assert_ne!(mean(&frozen.layer2[0].bn1), zeros(32));
}

#[test]
fn freezing_an_unknown_stage_lists_the_known_stages() {
    let network = CifarResNetConfig::resnet20().init(&Device::flex());
    let error = network.freeze_through("conv6_x").unwrap_err();
    assert_eq!(error.requested, "conv6_x");
    assert_eq!(error.known, ["conv1", "conv2_x", "conv3_x", "conv4_x"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Networks with every shortcut option run, and their feature maps have the same sizes.
    #[test]
    fn every_shortcut_option_runs_at_every_size(
        shortcut in prop_oneof![
            Just(Shortcut::ZeroPad),
            Just(Shortcut::ProjectWhenChanged),
            Just(Shortcut::ProjectAlways),
        ],
        height in 1_usize..20,
        width in 1_usize..20,
    ) {
        let device = Device::flex();
        let config = CifarResNetConfig { depth: 14, shortcut, classes: 2 };
        let maps = config.init(&device).features(noise([1, 3, height, width], &device));
        let half = |n: usize| n.div_ceil(2);
        let [h2, w2] = [half(height), half(width)];
        prop_assert_eq!(dims(&maps), vec![
            [1, 16, height, width],
            [1, 16, height, width],
            [1, 32, h2, w2],
            [1, 64, half(h2), half(w2)],
        ]);
    }
}
