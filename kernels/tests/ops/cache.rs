//! Tests that cached packed weights are never used for other weights.

use burn::tensor::ops::ConvOptions;
use burn::tensor::{DType, Device, Tensor, module};
use receptive_kernels::ops;

use crate::devices;
use crate::fused::{assert_close, noise};

/// Asserts that `found` equals Burn's convolution in float64 within 5e-6 of the largest value.
fn assert_convolution(
    found: Tensor<4>,
    x: &Tensor<4>,
    weight: &Tensor<4>,
    options: ConvOptions<2>,
) {
    let wide = |x: &Tensor<4>| x.clone().cast(DType::F64);
    let expected = module::conv2d(wide(x), wide(weight), None, options);
    let largest = expected.clone().abs().max().into_scalar::<f64>();
    assert_close(found, expected, 5e-6 * largest);
}

fn options() -> ConvOptions<2> {
    ConvOptions::new([1, 1], [1, 1], [1, 1], 1)
}

fn convolve(x: &Tensor<4>, weight: &Tensor<4>) -> Tensor<4> {
    ops::conv2d(x.clone(), weight.clone(), None, options())
}

fn check(x: &Tensor<4>, weight: &Tensor<4>) {
    assert_convolution(convolve(x, weight), x, weight, options());
}

fn x(device: &Device) -> Tensor<4> {
    noise(1, [2, 40, 10, 11], device)
}

fn weight(seed: u64, device: &Device) -> Tensor<4> {
    noise(seed, [33, 40, 3, 3], device)
}

/// A backend may write in place into the memory of a tensor that no other tensor shares.
#[test]
fn weights_updated_in_place() {
    for device in devices() {
        let x = x(&device);
        let mut weight = weight(2, &device);
        for step in 1..5 {
            check(&x, &weight);
            weight = weight.add_scalar(0.125 * f64::from(step)).mul_scalar(-0.5);
            check(&x, &weight);
            let patch = Tensor::full([1, 40, 3, 3], f64::from(step), &device);
            weight = weight.slice_assign([3..4, 0..40, 0..3, 0..3], patch);
        }
    }
}

/// The allocator may reuse the memory of dropped weights for other weights.
#[test]
fn weights_at_reused_addresses() {
    for device in devices() {
        let x = x(&device);
        for seed in 0..24 {
            check(&x, &weight(seed, &device));
            if seed % 5 == 0 {
                ops::clear_cache();
            }
        }
    }
}

/// Convolutions in several groups, and views, of one weight.
#[test]
fn several_views_of_one_weight() {
    for device in devices() {
        let weight = noise(3, [36, 36, 3, 3], &device);
        for groups in [1, 2, 3] {
            let x = noise::<4>(4, [1, 36 * groups, 9, 9], &device);
            let options = ConvOptions::new([1, 1], [1, 1], [1, 1], groups);
            let found = ops::conv2d(x.clone(), weight.clone(), None, options.clone());
            assert_convolution(found, &x, &weight, options);
        }
        let x = noise(5, [1, 36, 9, 9], &device);
        check(&x, &weight.clone().slice([0..12, 0..36, 0..3, 0..3]));
        check(&x, &weight.clone().slice([12..36, 0..36, 0..3, 0..3]));
        check(&x, &weight.clone().permute([1, 0, 2, 3]));
        check(&x, &weight.flip([2, 3]));
    }
}

#[test]
fn non_contiguous_inputs() {
    for device in devices() {
        let whole = noise::<4>(6, [3, 50, 12, 14], &device);
        let weight = weight(7, &device);
        check(&whole.clone().slice([1..3, 5..45, 0..12, 0..14]), &weight);
        check(&whole.clone().slice([0..2, 0..40, 2..9, 3..13]), &weight);
        check(&whole.clone().narrow(1, 10, 40).flip([3]), &weight);
        check(&whole.narrow(1, 0, 40).permute([0, 1, 3, 2]), &weight);
        let channels_last = noise::<4>(8, [2, 9, 8, 40], &device).permute([0, 3, 1, 2]);
        check(&channels_last, &weight);
    }
}

/// More images than a micro-batch has.
#[test]
fn batch_larger_than_a_micro_batch() {
    for device in devices() {
        let x = noise::<4>(9, [9, 4, 130, 130], &device);
        let weight = noise::<4>(10, [17, 4, 3, 3], &device);
        let all = convolve(&x, &weight);
        for image in 0..9 {
            let one = convolve(&x.clone().narrow(0, image, 1), &weight);
            assert_close(all.clone().narrow(0, image, 1), one, 0.0);
        }
        check(&x, &weight);
    }
}

#[test]
fn concurrent_threads() {
    for device in devices() {
        let x = x(&device);
        let weights: Vec<_> = (0..3).map(|seed| weight(100 + seed, &device)).collect();
        let expected: Vec<_> = weights.iter().map(|weight| convolve(&x, weight)).collect();
        ops::clear_cache();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (x, weights, expected) = (&x, &weights, &expected);
                scope.spawn(move || {
                    for round in 0..12 {
                        let index = (thread + round) % 3;
                        let found = convolve(x, &weights[index]);
                        assert_close(found, expected[index].clone(), 0.0);
                        if round == 6 {
                            ops::clear_cache();
                        }
                    }
                });
            }
        });
    }
}
