use burn::nn::BatchNorm;
use burn::tensor::{Device, Tensor};
use receptive_layers::block::ConvBlock;
use receptive_layers::network::{Network, NetworkConfig};

use super::noise;
use crate::{MobileNetV1Config, MobileNetV2Config, TimmMobileNetV1Config};

/// Returns the shapes of `maps`.
fn dims(maps: &[Tensor<4>]) -> Vec<[usize; 4]> {
    maps.iter().map(|x| x.dims()).collect()
}

#[test]
fn v1_stages_have_the_sizes_of_table_1() {
    let device = Device::flex();
    let expected = [
        [1, 32, 112, 112],
        [1, 64, 112, 112],
        [1, 128, 56, 56],
        [1, 256, 28, 28],
        [1, 512, 14, 14],
        [1, 1024, 7, 7],
    ];
    let images = noise([1, 3, 224, 224], &device);
    let network = MobileNetV1Config::mobilenet_v1(1.0).init(&device);
    assert_eq!(dims(&network.features(images.clone())), expected);
    let network = TimmMobileNetV1Config::mobilenetv1_100().init(&device);
    assert_eq!(dims(&network.features(images.clone())), expected);
    assert_eq!(network.forward(images).dims(), [1, 1000]);
}

#[test]
fn v2_stages_have_the_sizes_of_table_2() {
    let device = Device::flex();
    let images = noise([1, 3, 224, 224], &device);
    let network = MobileNetV2Config::mobilenet_v2().init(&device);
    assert_eq!(
        dims(&network.features(images)),
        [
            [1, 32, 112, 112],
            [1, 16, 112, 112],
            [1, 24, 56, 56],
            [1, 32, 28, 28],
            [1, 64, 14, 14],
            [1, 96, 14, 14],
            [1, 160, 7, 7],
            [1, 320, 7, 7],
            [1, 1280, 7, 7],
        ]
    );
}

#[test]
fn any_image_size_is_accepted() {
    let device = Device::flex();
    let v1 = MobileNetV1Config::mobilenet_v1(0.25).init(&device);
    let v2 = MobileNetV2Config::mobilenet_v2().init(&device);
    for [height, width] in [[1, 1], [1, 7], [33, 2], [65, 31]] {
        let images = noise([2, 3, height, width], &device);
        assert_eq!(v1.forward(images.clone()).dims(), [2, 1000]);
        assert_eq!(v2.forward(images).dims(), [2, 1000]);
    }
}

/// The variants differ only in the activation: ReLU6 limits the outputs to 6, ReLU does not.
#[test]
fn activations_of_the_timm_variant_are_at_most_6() {
    let device = Device::flex();
    let images = noise([1, 3, 32, 32], &device) * 1000.0;
    let largest = |maps: Vec<Tensor<4>>| maps[0].clone().max().into_scalar::<f32>();
    let paper = MobileNetV1Config::mobilenet_v1(1.0).init(&device);
    assert!(largest(paper.features(images.clone())) > 6.0);
    let timm = TimmMobileNetV1Config::mobilenetv1_100().init(&device);
    assert_eq!(largest(timm.features(images)), 6.0);
}

#[test]
fn with_classes_replaces_only_the_head() {
    let device = Device::flex();
    let images = noise([1, 3, 32, 32], &device);
    let network = MobileNetV2Config::mobilenet_v2().init(&device);
    let before = network.features(images.clone());
    let network = network.with_classes(3).unwrap();
    assert_eq!(network.forward(images.clone()).dims(), [1, 3]);
    for (before, after) in before.into_iter().zip(network.features(images.clone())) {
        assert_eq!(before.into_data(), after.into_data());
    }
    let network = TimmMobileNetV1Config::mobilenetv1_100().init(&device);
    let network = network.with_classes(3).unwrap();
    assert_eq!(network.forward(images).dims(), [1, 3]);
}

#[test]
fn freezing_affects_only_the_first_stages() {
    let device = Device::flex().autodiff();
    let network = MobileNetV1Config::mobilenet_v1(0.25).init(&device);
    let frozen = network.freeze_through("stage1").unwrap();
    let loss = frozen.forward(noise([2, 3, 32, 32], &device)).sum();
    let gradients = loss.backward();

    let trains = |block: &ConvBlock| block.conv.weight.val().grad(&gradients).is_some();
    assert!(!trains(&frozen.stem));
    assert!(!trains(&frozen.blocks[0].depthwise) && !trains(&frozen.blocks[0].pointwise));
    for block in &frozen.blocks[1..] {
        assert!(trains(&block.depthwise) && trains(&block.pointwise));
    }

    let mean = |bn: &Option<BatchNorm>| {
        let bn = bn.as_ref().expect("every convolution has a norm");
        bn.running_mean.value_sync().into_data()
    };
    let zeros = |n: usize| Tensor::<1>::zeros([n], &device).into_data();
    assert_eq!(mean(&frozen.blocks[0].pointwise.bn), zeros(16));
    assert_ne!(mean(&frozen.blocks[1].depthwise.bn), zeros(16));
}

#[test]
fn every_stage_can_be_frozen() {
    let device = Device::flex();
    fn freeze<C: NetworkConfig>(config: &C, device: &Device) {
        for stage in <C::Network as Network>::STAGES {
            assert!(config.init(device).freeze_through(stage.name).is_ok());
        }
        assert!(config.init(device).freeze_through("head").is_err());
    }
    freeze(&MobileNetV1Config::mobilenet_v1(0.25), &device);
    freeze(&TimmMobileNetV1Config::mobilenetv1_100(), &device);
    freeze(&MobileNetV2Config::mobilenet_v2(), &device);
}
