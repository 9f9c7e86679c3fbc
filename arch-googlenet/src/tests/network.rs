use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::tensor::{Device, Tensor, TensorData};
use proptest::prelude::*;
use receptive_layers::network::{Network, NetworkConfig};

use super::noise;
use crate::{ConvUnit, GoogLeNetConfig, Inception};

/// Returns the shapes of `maps`.
fn dims(maps: &[Tensor<4>]) -> Vec<[usize; 4]> {
    maps.iter().map(|x| x.dims()).collect()
}

#[test]
fn stages_have_the_sizes_of_table_1() {
    let device = Device::flex();
    let images = noise([1, 3, 224, 224], &device);
    for variant in GoogLeNetConfig::variants() {
        let network = variant.config.init(&device);
        assert_eq!(
            dims(&network.features(images.clone())),
            [
                [1, 64, 112, 112],
                [1, 192, 56, 56],
                [1, 256, 28, 28],
                [1, 480, 28, 28],
                [1, 512, 14, 14],
                [1, 512, 14, 14],
                [1, 512, 14, 14],
                [1, 528, 14, 14],
                [1, 832, 14, 14],
                [1, 832, 7, 7],
                [1, 1024, 7, 7],
            ],
            "{}",
            variant.name
        );
    }
}

#[test]
fn the_smallest_images_are_accepted() {
    let device = Device::flex();
    for (config, least) in [
        (GoogLeNetConfig::googlenet(), 15),
        (GoogLeNetConfig::googlenet_paper(), 31),
    ] {
        let input = config.input();
        assert!(input.check([1, 3, least - 1, least]).is_err());
        let network = config.init(&device);
        for shape in [[1, 3, least, least], [2, 3, least, 40], [1, 3, 47, least]] {
            assert!(input.check(shape).is_ok());
            let maps = network.features(noise(shape, &device));
            assert!(dims(&maps).iter().all(|d| d[2] >= 1 && d[3] >= 1));
            assert_eq!(
                network.forward(noise(shape, &device)).dims(),
                [shape[0], 1000]
            );
        }
    }
}

#[test]
fn forward_train_returns_both_auxiliary_heads_and_their_weights() {
    let device = Device::flex();
    for (config, size) in [
        (GoogLeNetConfig::googlenet(), 64),
        (GoogLeNetConfig::googlenet_paper(), 224),
    ] {
        let images = noise([1, 3, size, size], &device);
        let without = config.clone().init(&device).forward_train(images.clone());
        assert!(without.auxiliary.is_empty());

        let network = config.with_auxiliary(true).init(&device);
        let training = network.forward_train(images.clone());
        let inference = network.forward(images);
        assert_eq!(training.main.into_data(), inference.into_data());
        let heads: Vec<_> = training
            .auxiliary
            .iter()
            .map(|(logits, weight)| (logits.dims(), *weight))
            .collect();
        assert_eq!(heads, [([1, 1000], 0.3), ([1, 1000], 0.3)]);
    }
}

#[test]
fn with_classes_replaces_only_the_heads() {
    let device = Device::flex();
    let images = noise([1, 3, 32, 32], &device);
    let config = GoogLeNetConfig::googlenet().with_auxiliary(true);
    let network = config.init(&device);
    let before = network.features(images.clone());
    let network = network.with_classes(3).unwrap();
    let logits = network.forward_train(images.clone());
    assert_eq!(logits.main.dims(), [1, 3]);
    assert!(logits.auxiliary.iter().all(|(x, _)| x.dims() == [1, 3]));
    for (before, after) in before.into_iter().zip(network.features(images)) {
        assert_eq!(before.into_data(), after.into_data());
    }
}

#[test]
fn freezing_affects_only_the_first_stages() {
    let device = Device::flex().autodiff();
    let network = GoogLeNetConfig::googlenet().init(&device);
    let frozen = network.freeze_through("inception3a").unwrap();
    let loss = frozen.forward(noise([2, 3, 32, 32], &device)).sum();
    let gradients = loss.backward();

    let trains = |unit: &ConvUnit| {
        let conv = match unit {
            ConvUnit::Biased(conv) => conv,
            ConvUnit::Normalised(block) => &block.conv,
        };
        conv.weight.val().grad(&gradients).is_some()
    };
    let any = |module: &Inception| {
        [
            &module.conv1x1,
            &module.reduce3x3,
            &module.conv3x3,
            &module.reduce5x5,
            &module.conv5x5,
            &module.pool_proj,
        ]
        .map(trains)
    };
    assert!(!trains(&frozen.conv1) && !trains(&frozen.conv2_reduce) && !trains(&frozen.conv2));
    assert_eq!(any(&frozen.inception3a), [false; 6]);
    assert_eq!(any(&frozen.inception3b), [true; 6]);
    assert_eq!(any(&frozen.inception5b), [true; 6]);

    let mean = |unit: &ConvUnit| match unit {
        ConvUnit::Normalised(block) => {
            let bn = block.bn.as_ref().expect("a norm");
            bn.running_mean.value_sync().into_data()
        }
        ConvUnit::Biased(_) => panic!("torchvision's edition has norms"),
    };
    let zeros = |n: usize| Tensor::<1>::zeros([n], &device).into_data();
    assert_eq!(mean(&frozen.inception3a.conv1x1), zeros(64));
    assert_ne!(mean(&frozen.inception3b.conv1x1), zeros(128));
}

fn ceil_pool(kernel: usize) -> MaxPool2d {
    MaxPool2dConfig::new([kernel; 2])
        .with_strides([2, 2])
        .with_ceil_mode(true)
        .init()
}

/// Computes a max pool of stride 2 with PyTorch's ceil mode: every window that starts inside the
/// map, cut at the edge.
fn pytorch_ceil_pool(values: &[f32], [height, width]: [usize; 2], kernel: usize) -> Vec<f32> {
    let starts = |n: usize| (0..(n - kernel.min(n)).div_ceil(2) + 1).map(|i| 2 * i);
    let mut maxima = Vec::new();
    for top in starts(height) {
        for left in starts(width) {
            let rows = top..(top + kernel).min(height);
            let window = rows.flat_map(|i| {
                let row = i * width;
                &values[row + left..row + (left + kernel).min(width)]
            });
            maxima.push(window.copied().fold(f32::NEG_INFINITY, f32::max));
        }
    }
    maxima
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn ceil_mode_of_burn_equals_pytorch(
        three: bool,
        height in 2_usize..20,
        width in 2_usize..20,
        seed: u32,
    ) {
        let kernel = if three { 3 } else { 2 };
        let mut state = seed;
        let values: Vec<f32> = (0..height * width)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 - 8e6
            })
            .collect();
        let expected = pytorch_ceil_pool(&values, [height, width], kernel);
        let data = TensorData::new(values, [1, 1, height, width]);
        #[allow(deprecated)]
        for device in [Device::flex(), Device::ndarray()] {
            let maps = ceil_pool(kernel).forward(Tensor::from_data(data.clone(), &device));
            prop_assert_eq!(maps.into_data().try_to_vec::<f32>().unwrap(), expected.clone());
        }
    }
}
