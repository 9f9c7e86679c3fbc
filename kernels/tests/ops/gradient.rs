//! Gradients in float64 against central differences of the reference loops.

use burn::tensor::DType;
use burn::tensor::ops::ConvOptions;
use proptest::prelude::*;
use receptive_kernels::ops;

use crate::{
    Conv, Norm, assert_close, conv, devices, norm, numbers, reference, rows_and_centers, tensor,
    values,
};

/// The derivative of `loss` with respect to each of its values.
fn differences(at: &[f64], loss: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let step = 1e-4;
    (0..at.len())
        .map(|index| {
            let moved = |by: f64| {
                let mut values = at.to_vec();
                values[index] += by;
                loss(&values)
            };
            (moved(step) - moved(-step)) / (2.0 * step)
        })
        .collect()
}

fn weighted(values: &[f64], weights: &[f64]) -> f64 {
    values.iter().zip(weights).map(|(v, w)| v * w).sum()
}

/// A case with a weight for each of its outputs in the loss.
fn norm_and_weights() -> impl Strategy<Value = (Norm, Vec<f64>)> {
    norm().prop_flat_map(|norm| {
        let weights = numbers(norm.x.len());
        (Just(norm), weights)
    })
}

fn conv_and_weights() -> impl Strategy<Value = (Conv, Vec<f64>)> {
    conv().prop_flat_map(|conv| {
        let (shape, _) = reference::conv2d(&conv);
        (Just(conv), numbers(shape.iter().product()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn of_local_response_norm((norm, weights) in norm_and_weights()) {
        let expected = differences(&norm.x, |x| {
            let moved = Norm { x: x.to_vec(), ..norm.clone() };
            weighted(&reference::local_response_norm(&moved), &weights)
        });
        for device in devices() {
            let device = device.autodiff();
            let x = tensor(&norm.x, norm.shape, &device, DType::F64).require_grad();
            let y = ops::local_response_norm(
                x.clone(), norm.size, norm.alpha, norm.beta, norm.k,
            );
            let loss = (y * tensor(&weights, norm.shape, &device, DType::F64)).sum();
            let gradient = x.grad(&loss.backward()).unwrap();
            prop_assert_eq!(gradient.dims(), norm.shape);
            assert_close(&values(gradient), &expected, 1e-7, &device);
        }
    }

    #[test]
    fn of_radial_basis((rows, centers, [batch, classes, features]) in rows_and_centers()) {
        // The loss is the sum of squares, so that each output has a weight of its own.
        let loss = |x: &[f64], c: &[f64]| {
            let y = reference::radial_basis(x, c, features);
            weighted(&y, &y)
        };
        let by_rows = differences(&rows, |rows| loss(rows, &centers));
        let by_centers = differences(&centers, |centers| loss(&rows, centers));
        for device in devices() {
            let device = device.autodiff();
            let x = tensor(&rows, [batch, features], &device, DType::F64).require_grad();
            let c = tensor(&centers, [classes, features], &device, DType::F64).require_grad();
            let y = ops::radial_basis(x.clone(), c.clone());
            let grads = y.clone().mul(y).sum().backward();
            assert_close(&values(x.grad(&grads).unwrap()), &by_rows, 1e-6, &device);
            assert_close(&values(c.grad(&grads).unwrap()), &by_centers, 1e-6, &device);
        }
    }

    #[test]
    fn of_convolution((conv, weights) in conv_and_weights()) {
        let loss = |conv: &Conv| weighted(&reference::conv2d(conv).1, &weights);
        let by_x = differences(&conv.x, |x| loss(&Conv { x: x.to_vec(), ..conv.clone() }));
        let by_weight = differences(&conv.weight, |weight| {
            loss(&Conv { weight: weight.to_vec(), ..conv.clone() })
        });
        let by_bias = conv.bias.as_ref().map(|bias| {
            differences(bias, |bias| loss(&Conv { bias: Some(bias.to_vec()), ..conv.clone() }))
        });
        let (shape, _) = reference::conv2d(&conv);
        for device in devices() {
            let device = device.autodiff();
            let x = tensor(&conv.x, conv.shape, &device, DType::F64).require_grad();
            let weight =
                tensor(&conv.weight, conv.weight_shape, &device, DType::F64).require_grad();
            let bias = conv
                .bias
                .as_ref()
                .map(|bias| tensor(bias, [bias.len()], &device, DType::F64).require_grad());
            let options = ConvOptions::new_with_padding(
                conv.stride,
                conv.padding,
                conv.dilation,
                conv.groups,
            );
            let y = ops::conv2d(x.clone(), weight.clone(), bias.clone(), options);
            let grads = (y * tensor(&weights, shape, &device, DType::F64)).sum().backward();
            assert_close(&values(x.grad(&grads).unwrap()), &by_x, 1e-7, &device);
            assert_close(&values(weight.grad(&grads).unwrap()), &by_weight, 1e-7, &device);
            if let (Some(bias), Some(by_bias)) = (bias, &by_bias) {
                assert_close(&values(bias.grad(&grads).unwrap()), by_bias, 1e-7, &device);
            }
        }
    }
}

/// What is not tracked costs nothing and stays usable: the same values as without autodiff.
#[test]
fn untracked_input() {
    for device in devices() {
        let shape = [1, 5, 1, 1];
        let x = [3.0, -1.0, 2.0, 0.5, -2.0];
        let norm = |device| {
            let x = tensor(&x, shape, device, DType::F32);
            values(ops::local_response_norm(x, 3, 0.5, 0.75, 1.0))
        };
        assert_eq!(norm(&device.clone().autodiff()), norm(&device));
    }
}
