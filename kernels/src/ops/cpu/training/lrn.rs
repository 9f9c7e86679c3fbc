//! Local response normalization and its gradient.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;

use super::memory::f32_slice;
use crate::cpu::gradient::{LrnParams, lrn, lrn_gradient};
use crate::ops::cpu::execute::threads;
use crate::ops::cpu::host::HostBackend;
use crate::ops::cpu::program::isa;

/// The exponent `beta` that the kernels support.
pub(in crate::ops) const LRN_BETA: f64 = 0.75;

/// Returns the normalization of `x` over `size` channels with the exponent [`LRN_BETA`]. With
/// `gradient`, the gradient of the output, returns the gradient of the input instead.
pub(in crate::ops) fn local_response_norm<B: HostBackend>(
    x: FloatTensor<B>,
    gradient: Option<FloatTensor<B>>,
    size: usize,
    [alpha, k]: [f64; 2],
) -> FloatTensor<B> {
    let x = B::into_contiguous(x);
    let shape = x.shape();
    let values = f32_slice::<B>(&x);
    let isa = isa().expect("checked by is_supported");
    let params = LrnParams {
        reach: size / 2,
        alpha: alpha as f32,
        k: k as f32,
    };
    let threads = threads(values.len() * size);
    let planes = [shape[1], shape[2] * shape[3]];
    let result = match gradient.map(B::into_contiguous) {
        None => lrn(isa, threads, values, planes, params),
        Some(gradient) => {
            let arrays = [values, f32_slice::<B>(&gradient)];
            lrn_gradient(isa, threads, arrays, planes, params)
        }
    };
    B::from_vec(result, shape)
}
