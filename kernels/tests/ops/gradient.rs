//! Tests of gradients against central differences of the reference loops.

use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{DType, Device};
use proptest::prelude::*;
use receptive_kernels::cpu::Activation;
use receptive_kernels::ops;

use crate::{
    Conv, Norm, assert_close, conv, devices, norm, numbers, reference, rows_and_centers, tensor,
    values,
};

/// Central differences: the derivative of `loss` with respect to each value at `at`.
fn differences(at: &[f64], loss: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let step = 1e-4;
    (0..at.len())
        .map(|index| {
            let loss_at = |distance: f64| {
                let mut values = at.to_vec();
                values[index] += distance;
                loss(&values)
            };
            (loss_at(step) - loss_at(-step)) / (2.0 * step)
        })
        .collect()
}

/// Weighted sum, the loss of most tests.
fn weighted_sum(values: &[f64], weights: &[f64]) -> f64 {
    values.iter().zip(weights).map(|(v, w)| v * w).sum()
}

/// A normalization, and the weight of each of its outputs in the loss.
fn norm_and_weights() -> impl Strategy<Value = (Norm, Vec<f64>)> {
    norm().prop_flat_map(|norm| {
        let weights = numbers(norm.x.len());
        (Just(norm), weights)
    })
}

/// A convolution, and the weight of each of its outputs in the loss.
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
            weighted_sum(&reference::local_response_norm(&moved), &weights)
        });
        for (device, dtype, tolerance) in cases() {
            let x = tensor(&norm.x, norm.shape, &device, dtype).require_grad();
            let y = ops::local_response_norm(
                x.clone(), norm.size, norm.alpha, norm.beta, norm.k,
            );
            let loss = (y * tensor(&weights, norm.shape, &device, dtype)).sum();
            let gradient = x.grad(&loss.backward()).unwrap();
            prop_assert_eq!(gradient.dims(), norm.shape);
            assert_close(&values(gradient), &expected, tolerance, &device);
        }
    }

    #[test]
    fn of_radial_basis((rows, centers, [batch, classes, features]) in rows_and_centers()) {
        // The loss is the sum of squares, so that outputs have different weights.
        let loss = |x: &[f64], c: &[f64]| {
            let y = reference::radial_basis(x, c, features);
            weighted_sum(&y, &y)
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
        let loss = |conv: &Conv| weighted_sum(&reference::conv2d(conv).1, &weights);
        let by_x = differences(&conv.x, |x| loss(&Conv { x: x.to_vec(), ..conv.clone() }));
        let by_weight = differences(&conv.weight, |weight| {
            loss(&Conv { weight: weight.to_vec(), ..conv.clone() })
        });
        let by_bias = conv.bias.as_ref().map(|bias| {
            differences(bias, |bias| loss(&Conv { bias: Some(bias.to_vec()), ..conv.clone() }))
        });
        let (shape, _) = reference::conv2d(&conv);
        for (device, dtype, tolerance) in cases() {
            let x = tensor(&conv.x, conv.shape, &device, dtype).require_grad();
            let weight = tensor(&conv.weight, conv.weight_shape, &device, dtype).require_grad();
            let bias = conv
                .bias
                .as_ref()
                .map(|bias| tensor(bias, [bias.len()], &device, dtype).require_grad());
            let options = ConvOptions::new_with_padding(
                conv.stride,
                conv.padding,
                conv.dilation,
                conv.groups,
            );
            let y = ops::conv2d(x.clone(), weight.clone(), bias.clone(), options);
            let grads = (y * tensor(&weights, shape, &device, dtype)).sum().backward();
            assert_close(&values(x.grad(&grads).unwrap()), &by_x, tolerance, &device);
            assert_close(&values(weight.grad(&grads).unwrap()), &by_weight, tolerance, &device);
            if let (Some(bias), Some(by_bias)) = (bias, &by_bias) {
                assert_close(&values(bias.grad(&grads).unwrap()), by_bias, tolerance, &device);
            }
        }
    }

    /// Sizes that use Winograd's algorithm, whole blocks and tiles, and chunks of several images. Compares
    /// float32, computed by the kernels, with float64, computed by Burn's operations.
    #[test]
    fn of_large_convolution(
        [images, c_in, c_out] in [1..7_usize, 1..70_usize, 1..70_usize],
        (kernel, stride, size) in (1..6_usize, 1..3_usize, 5..20_usize),
        depthwise in any::<bool>(),
        activation in prop_oneof![
            Just(Activation::Identity),
            Just(Activation::Relu),
            Just(Activation::Clamp { low: 0.0, high: 6.0 }),
            Just(Activation::Tanh),
        ],
        seed in 0..1000_usize,
    ) {
        let [c_out, groups] = if depthwise { [c_in, c_in] } else { [c_out, 1] };
        let noise = |len: usize, salt: usize| -> Vec<f64> {
            let value = |i: usize| ((i + salt + seed) as f64 * 0.618_033_988_7).fract() - 0.5;
            (0..len).map(|i| f64::from(value(i * i % 8191 + i) as f32)).collect()
        };
        let padding = (kernel / 2, kernel / 2);
        let options = ConvOptions::new_with_padding([stride; 2], [padding; 2], [1, 1], groups);
        let shapes = ([images, c_in, size, size], [c_out, c_in / groups, kernel, kernel]);
        let gradients = |device: &Device, dtype| {
            let len = |shape: [usize; 4]| shape.iter().product();
            let x = tensor(&noise(len(shapes.0), 1), shapes.0, device, dtype).require_grad();
            let weight = tensor(&noise(len(shapes.1), 2), shapes.1, device, dtype).require_grad();
            let bias = tensor(&noise(c_out, 3), [c_out], device, dtype).require_grad();
            let y = ops::conv2d_norm_activation(
                x.clone(), weight.clone(), Some(bias.clone()), options.clone(), None, activation,
            );
            let shape = y.dims();
            let loss_weights = tensor(&noise(len(shape), 4), shape, device, dtype);
            let grads = (y.clone() * loss_weights).sum().backward();
            [
                values(y.inner()),
                values(x.grad(&grads).unwrap()),
                values(weight.grad(&grads).unwrap()),
                values(bias.grad(&grads).unwrap()),
            ]
        };
        for device in devices() {
            let device = device.autodiff();
            let expected = gradients(&device, DType::F64);
            let found = gradients(&device, DType::F32);
            // The gradient is discontinuous where the activation starts to clip, so values near these
            // points are excluded.
            let [low, high] = [0.0, 6.0];
            let near = |y: &f64| (y - low).abs() < 1e-4 || (y - high).abs() < 1e-4;
            let clipped = !matches!(activation, Activation::Identity | Activation::Tanh);
            prop_assume!(!clipped || !expected[0].iter().any(|y| *y != low && *y != high && near(y)));
            for (found, expected) in found.iter().zip(&expected) {
                assert_close(found, expected, 1e-3, &device);
            }
        }
    }

    #[test]
    fn of_batch_norm(
        (x, shape) in [1..4_usize, 1..4_usize, 1..5_usize, 2..5_usize].prop_flat_map(|shape| {
            (numbers(shape.iter().product()), Just(shape))
        }),
        (gamma, beta) in (numbers(3), numbers(3)),
        loss_weights in numbers(3 * 3 * 4 * 4),
    ) {
        let channels = shape[1];
        let (gamma, beta) = (&gamma[..channels], &beta[..channels]);
        let loss_weights = &loss_weights[..x.len()];
        let epsilon = 0.1;
        let loss = |x: &[f64], gamma: &[f64], beta: &[f64]| {
            let area = shape[2] * shape[3];
            let channel_of = |index: usize| index / area % channels;
            let count = (shape[0] * area) as f64;
            let mean = |channel: usize, function: &dyn Fn(f64) -> f64| -> f64 {
                let values = x.iter().enumerate();
                let values = values.filter(|(index, _)| channel_of(*index) == channel);
                values.map(|(_, &x)| function(x)).sum::<f64>() / count
            };
            let means: Vec<f64> = (0..channels).map(|c| mean(c, &|x| x)).collect();
            let variances: Vec<f64> =
                (0..channels).map(|c| mean(c, &|x| (x - means[c]).powi(2))).collect();
            let y = x.iter().enumerate().map(|(index, x)| {
                let c = channel_of(index);
                let y = gamma[c] * (x - means[c]) / (variances[c] + epsilon).sqrt() + beta[c];
                // The loss is a weighted sum of the outputs.
                y * loss_weights[index]
            });
            y.sum::<f64>()
        };
        let by_x = differences(&x, |x| loss(x, gamma, beta));
        let by_gamma = differences(gamma, |gamma| loss(&x, gamma, beta));
        let by_beta = differences(beta, |beta| loss(&x, gamma, beta));
        for (device, dtype, tolerance) in cases() {
            let values_of = |values: &[f64]| tensor(values, [channels], &device, dtype);
            let input = tensor(&x, shape, &device, dtype).require_grad();
            let [scale, shift] = [gamma, beta].map(|values| values_of(values).require_grad());
            let (y, _, _) = ops::batch_norm_activation(
                input.clone(), scale.clone(), shift.clone(), epsilon, Activation::Identity,
            );
            let grads = (y * tensor(loss_weights, shape, &device, dtype)).sum().backward();
            assert_close(&values(input.grad(&grads).unwrap()), &by_x, (10.0 * tolerance).max(1e-5), &device);
            assert_close(&values(scale.grad(&grads).unwrap()), &by_gamma, tolerance, &device);
            assert_close(&values(shift.grad(&grads).unwrap()), &by_beta, tolerance, &device);
        }
    }

    #[test]
    fn of_fully_connected_layers(
        (x, weight, bias, [images, inputs, outputs]) in
            [1..5_usize, 1..9_usize, 1..9_usize].prop_flat_map(|[images, inputs, outputs]| (
                numbers(images * inputs),
                numbers(inputs * outputs),
                numbers(outputs),
                Just([images, inputs, outputs]),
            )),
    ) {
        // The loss is the sum of squares.
        let loss = |x: &[f64], weight: &[f64], bias: &[f64]| -> f64 {
            let y = (0..images * outputs).map(|at| {
                let (image, output) = (at / outputs, at % outputs);
                let products = (0..inputs)
                    .map(|i| x[image * inputs + i] * weight[i * outputs + output]);
                products.sum::<f64>() + bias[output]
            });
            y.map(|y| y * y).sum()
        };
        let by_x = differences(&x, |x| loss(x, &weight, &bias));
        let by_weight = differences(&weight, |weight| loss(&x, weight, &bias));
        let by_bias = differences(&bias, |bias| loss(&x, &weight, bias));
        for (device, dtype, tolerance) in cases() {
            let x = tensor(&x, [images, inputs], &device, dtype).require_grad();
            let weight = tensor(&weight, [inputs, outputs], &device, dtype).require_grad();
            let bias = tensor(&bias, [outputs], &device, dtype).require_grad();
            let y = ops::linear(x.clone(), weight.clone(), Some(bias.clone()));
            let grads = (y.clone() * y).sum().backward();
            assert_close(&values(x.grad(&grads).unwrap()), &by_x, tolerance, &device);
            assert_close(&values(weight.grad(&grads).unwrap()), &by_weight, tolerance, &device);
            assert_close(&values(bias.grad(&grads).unwrap()), &by_bias, tolerance, &device);
        }
    }

    /// Compares float32, computed by the kernels, with float64, computed by Burn's operations.
    #[test]
    fn of_pools_and_add_relu(
        shape in [1..3_usize, 1..4_usize, 3..9_usize, 3..9_usize],
        (kernel, stride, padding) in (1..4_usize, 1..4_usize, 0..2_usize),
        ceil in any::<bool>(),
        seed in 0..1000_usize,
    ) {
        let padding = padding.min(kernel / 2);
        let noise = |len: usize, salt: usize| -> Vec<f64> {
            let value = |i: usize| ((i * 37 + salt + seed) as f64 * 0.618_033_988_7).fract() - 0.5;
            (0..len).map(|i| f64::from(value(i) as f32)).collect()
        };
        let count = shape.iter().product();
        let gradients = |device: &Device, dtype| {
            let [x, y] =
                [1, 5000].map(|salt| tensor(&noise(count, salt), shape, device, dtype).require_grad());
            let sum = ops::add_relu(x.clone(), y.clone());
            let options = MaxPoolOptions::new([kernel; 2])
                .with_stride([stride; 2])
                .with_padding_pairs([(padding, padding); 2])
                .with_ceil_mode(ceil);
            let pooled = ops::max_pool2d(sum + x.clone(), options);
            let side = kernel.min(pooled.dims()[2]).min(pooled.dims()[3]);
            let pooled = ops::mean_pool2d(pooled, [side; 2], [stride; 2]);
            let len = pooled.dims().iter().product();
            let loss_weights = tensor(&noise(len, 9), pooled.dims(), device, dtype);
            let grads = (pooled * loss_weights).sum().backward();
            [x, y].map(|map| values(map.grad(&grads).unwrap()))
        };
        for device in devices() {
            let device = device.autodiff();
            let expected = gradients(&device, DType::F64);
            for (found, expected) in gradients(&device, DType::F32).iter().zip(&expected) {
                assert_close(found, expected, 1e-5, &device);
            }
        }
    }
}

/// Every autodiff device with each type and the tolerance of gradients. Burn's operations compute float64,
/// the kernels float32.
fn cases() -> Vec<(Device, DType, f64)> {
    let with_types = |device: Device| {
        let device = device.autodiff();
        [
            (device.clone(), DType::F64, 1e-7),
            (device, DType::F32, 2e-4),
        ]
    };
    devices().into_iter().flat_map(with_types).collect()
}

/// An SGD step does not modify the weights of another tensor that shares their memory.
#[test]
fn sgd_step_copies_shared_weights() {
    for device in devices() {
        for dtype in [DType::F32, DType::F64] {
            let vector = |values: [f64; 3]| tensor(&values, [3], &device, dtype);
            let weight = vector([1.0, -2.0, 0.5]);
            let held = weight.clone();
            let (gradient, velocity) = (vector([0.5, 0.25, -1.0]), vector([1.0, 0.0, -0.5]));
            let step = [0.1, 0.9, 0.01];
            let (updated, velocity) = ops::sgd_step(weight, gradient, velocity, step, false);
            assert_close(&values(velocity), &[1.41, 0.23, -1.445], 1e-6, &device);
            assert_close(&values(updated), &[0.859, -2.023, 0.6445], 1e-6, &device);
            assert_eq!(values(held), [1.0, -2.0, 0.5]);
        }
    }
}

/// On an autodiff device, an untracked input gives the same values as without autodiff.
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
