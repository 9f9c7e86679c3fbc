//! Tests of which layers have gradients by the kernels.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::TensorData;
use burn::tensor::ops::ConvOptions;

use super::{convolution, fully_connected};
use crate::cpu::Activation;
use crate::ops::cpu::execute::threads;
use crate::ops::definition::convolution::{Bias, Layer, Norm};

fn tensor<const D: usize>(shape: [usize; D]) -> FlexTensor {
    let len = shape.iter().product();
    FlexTensor::from_data(TensorData::new(vec![0.5_f32; len], shape))
}

/// Whether the kernels compute a convolution of 4 channels over 9x9 pixels.
fn is_supported(kernel: usize, stride: usize, padding: usize, groups: usize) -> bool {
    let layer = Layer::<Flex> {
        weight: tensor([4, 4 / groups, kernel, kernel]),
        bias: Bias::Each(tensor([4])),
        norm: Norm::Absent,
        options: ConvOptions::new([stride; 2], [padding; 2], [1, 1], groups),
        activation: Activation::Relu,
    };
    convolution::<Flex>(&tensor([2, 4, 9, 9]), &layer).is_some()
}

#[test]
fn convolutions_of_the_networks_are_supported() {
    for (kernel, stride, padding) in [(1, 1, 0), (1, 2, 0), (3, 1, 1), (3, 2, 1), (7, 2, 3)] {
        assert!(is_supported(kernel, stride, padding, 1));
        assert!(is_supported(kernel, stride, padding, 4));
    }
}

#[test]
fn grouped_convolutions_and_padding_beyond_the_kernel_are_not_supported() {
    assert!(!is_supported(3, 1, 1, 2));
    assert!(!is_supported(1, 1, 1, 1));
}

#[test]
fn fully_connected_layers_are_supported_for_small_batches_or_few_weights() {
    let is_supported = |images, [inputs, outputs]: [usize; 2]| {
        let weight = tensor([inputs, outputs]);
        fully_connected::<Flex>(&tensor([images, inputs]), &weight, None).is_some()
    };
    let large = [512, 512];
    assert!(is_supported(1, large) && is_supported(32, large));
    assert!(is_supported(33, [7, 5]));
    let is_single_threaded = threads(256 * 512 * 512) == 1;
    assert_eq!(is_supported(256, large), is_single_threaded);
}
