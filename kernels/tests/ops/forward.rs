//! Tests of the values of the operations on every CPU backend.

use burn::tensor::ops::ConvOptions;
use burn::tensor::{DType, Tensor};
use proptest::prelude::*;
use receptive_kernels::ops;

use crate::{assert_close, conv, devices, norm, reference, rows_and_centers, tensor, values};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn local_response_norm_equals_the_definition(norm in norm()) {
        let expected = reference::local_response_norm(&norm);
        for device in devices() {
            for (dtype, tolerance) in [(DType::F32, 2e-6), (DType::F64, 1e-13)] {
                let x = tensor(&norm.x, norm.shape, &device, dtype);
                let y = ops::local_response_norm(x, norm.size, norm.alpha, norm.beta, norm.k);
                prop_assert_eq!(y.dims(), norm.shape);
                prop_assert_eq!(y.dtype(), dtype);
                assert_close(&values(y), &expected, tolerance, &device);
            }
        }
    }

    #[test]
    fn radial_basis_equals_the_definition((x, centers, [batch, classes, features]) in rows_and_centers()) {
        let expected = reference::radial_basis(&x, &centers, features);
        for device in devices() {
            for (dtype, tolerance) in [(DType::F32, 2e-6), (DType::F64, 1e-14)] {
                let x = tensor(&x, [batch, features], &device, dtype);
                let centers = tensor(&centers, [classes, features], &device, dtype);
                let y = ops::radial_basis(x, centers);
                prop_assert_eq!(y.dims(), [batch, classes]);
                assert_close(&values(y), &expected, tolerance, &device);
            }
        }
    }

    #[test]
    fn convolution_equals_the_definition(conv in conv()) {
        let (shape, expected) = reference::conv2d(&conv);
        for device in devices() {
            let bias = conv
                .bias
                .as_ref()
                .map(|bias| tensor(bias, [bias.len()], &device, DType::F32));
            let y = ops::conv2d(
                tensor(&conv.x, conv.shape, &device, DType::F32),
                tensor(&conv.weight, conv.weight_shape, &device, DType::F32),
                bias,
                ConvOptions::new_with_padding(
                    conv.stride,
                    conv.padding,
                    conv.dilation,
                    conv.groups,
                ),
            );
            prop_assert_eq!(y.dims(), shape);
            assert_close(&values(y), &expected, 1e-5, &device);
        }
    }
}

/// With the hyperparameters of AlexNet's paper, the output is `x / (2 + 1e-4 * sum)^0.75`.
#[test]
fn alpha_multiplies_the_sum() {
    for device in devices() {
        let x = Tensor::<4>::full([1, 96, 1, 1], 100.0, &device);
        let y = values(ops::local_response_norm(x, 5, 1e-4, 0.75, 2.0));
        let expected = |channels: f64| 100.0 / (2.0 + channels).powf(0.75);
        assert_close(&y[..3], &[3.0, 4.0, 5.0].map(expected), 1e-6, &device);
        assert_close(&y[93..], &[5.0, 4.0, 3.0].map(expected), 1e-6, &device);
    }
}

#[test]
fn window_wider_than_any_tensor() {
    for device in devices() {
        let x = Tensor::<4>::ones([1, 3, 1, 1], &device);
        let y = ops::local_response_norm(x, usize::MAX, 1.0, 1.0, 1.0);
        assert_close(&values(y), &[0.25; 3], 1e-6, &device);
    }
}

#[test]
#[should_panic(expected = "over 4 channels, expected an odd number")]
fn even_window() {
    let x = Tensor::<4>::ones([1, 8, 1, 1], &devices()[0]);
    ops::local_response_norm(x, 4, 1e-4, 0.75, 2.0);
}

#[test]
#[should_panic(expected = "input has 84 features, the centers have 80")]
fn centers_with_other_number_of_features() {
    let device = &devices()[0];
    ops::radial_basis(
        Tensor::ones([1, 84], device),
        Tensor::ones([10, 80], device),
    );
}

#[test]
#[should_panic(expected = "does not fit the 3 channels of the input")]
fn weight_for_other_channels() {
    let device = &devices()[0];
    ops::conv2d(
        Tensor::ones([1, 3, 5, 5], device),
        Tensor::ones([1, 4, 3, 3], device),
        None,
        ConvOptions::new([1, 1], [0, 0], [1, 1], 1),
    );
}

#[test]
#[should_panic(expected = "a window of 3 does not fit an input of 2")]
fn kernel_larger_than_the_input() {
    let device = &devices()[0];
    ops::conv2d(
        Tensor::ones([1, 1, 5, 2], device),
        Tensor::ones([1, 1, 3, 3], device),
        None,
        ConvOptions::new([1, 1], [0, 0], [1, 1], 1),
    );
}
