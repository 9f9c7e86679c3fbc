//! Tests that max pooling equals Burn's max pooling exactly.

use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{DType, module};
use proptest::prelude::*;
use receptive_kernels::ops;

use crate::fused::{assert_close, noise};
use crate::{devices, values};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn equals_burns_max_pooling(
        shape in [1..3_usize, 1..40_usize, 1..20_usize, 1..20_usize],
        kernel in [1..5_usize, 1..5_usize],
        stride in [1..4_usize, 1..4_usize],
        padding in [(0..3_usize, 0..3_usize), (0..3_usize, 0..3_usize)],
        symmetric in prop::bool::weighted(0.8),
        dilation in prop_oneof![3 => Just([1, 1]), 1 => [1..3_usize, 1..3_usize]],
        ceil in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mut shape = shape;
        let mut padding = padding;
        for axis in 0..2 {
            // Burn supports padding of at most half the kernel.
            let extent = (kernel[axis] - 1) * dilation[axis] + 1;
            let limit = kernel[axis] / 2;
            padding[axis] = (padding[axis].0.min(limit), padding[axis].1.min(limit));
            if symmetric {
                padding[axis].1 = padding[axis].0;
            }
            shape[2 + axis] = shape[2 + axis].max(extent);
        }
        let options = MaxPoolOptions::new(kernel)
            .with_stride(stride)
            .with_padding_pairs(padding)
            .with_dilation(dilation)
            .with_ceil_mode(ceil);
        for device in devices() {
            let x = noise(seed, shape, &device);
            let found = ops::max_pool2d(x.clone(), options.clone());
            assert_close(found, module::max_pool2d(x.clone(), options.clone()), 0.0);
            let x = x.swap_dims(2, 3).swap_dims(2, 3).cast(DType::F64);
            let found = ops::max_pool2d(x.clone(), options.clone());
            prop_assert_eq!(found.dtype(), DType::F64);
            prop_assert_eq!(values(found), values(module::max_pool2d(x, options.clone())));
        }
    }
}

#[test]
fn non_contiguous_input() {
    let options = MaxPoolOptions::new([3, 3])
        .with_stride([2, 2])
        .with_padding([1, 1]);
    for device in devices() {
        let x = noise::<4>(1, [2, 20, 17, 12], &device);
        let x = x.permute([0, 1, 3, 2]).narrow(1, 3, 17);
        let found = ops::max_pool2d(x.clone(), options.clone());
        assert_close(found, module::max_pool2d(x, options.clone()), 0.0);
    }
}
