//! Which layers have gradients here.

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

/// Whether a convolution of 4 channels over 9x9 pixels is.
fn is_computed(kernel: usize, stride: usize, padding: usize, groups: usize) -> bool {
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
fn convolutions_of_the_networks_are_computed_here() {
    for (kernel, stride, padding) in [(1, 1, 0), (1, 2, 0), (3, 1, 1), (3, 2, 1), (7, 2, 3)] {
        assert!(is_computed(kernel, stride, padding, 1));
        assert!(is_computed(kernel, stride, padding, 4));
    }
}

#[test]
fn several_groups_and_padding_beyond_the_kernel_are_burns() {
    assert!(!is_computed(3, 1, 1, 2));
    assert!(!is_computed(1, 1, 1, 1));
}

#[test]
fn fully_connected_layers_are_computed_here_unless_many_images_meet_many_weights() {
    let computed = |images, [inputs, outputs]: [usize; 2]| {
        let weight = tensor([inputs, outputs]);
        fully_connected::<Flex>(&tensor([images, inputs]), &weight, None).is_some()
    };
    let large = [512, 512];
    assert!(computed(1, large) && computed(32, large));
    assert!(computed(33, [7, 5]));
    let alone = threads(256 * 512 * 512) == 1;
    assert_eq!(computed(256, large), alone);
}
