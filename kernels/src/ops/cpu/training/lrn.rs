//! Local response normalization.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;

use super::memory::floats;
use crate::cpu::gradient::{LrnParams, lrn, lrn_gradient};
use crate::ops::cpu::execute::threads;
use crate::ops::cpu::host::Host;
use crate::ops::cpu::program::isa;

/// The exponent that the kernels know.
pub(in crate::ops) const BETA: f64 = 0.75;

/// The normalization of `x` over `size` channels, or the gradient of its input where `gradient` is that
/// of its output.
pub(in crate::ops) fn local_response_norm<B: Host>(
    x: FloatTensor<B>,
    gradient: Option<FloatTensor<B>>,
    size: usize,
    [alpha, k]: [f64; 2],
) -> FloatTensor<B> {
    let x = B::contiguous(x);
    let shape = x.shape();
    let values = floats::<B>(&x);
    let isa = isa().expect("checked before");
    let params = LrnParams {
        reach: size / 2,
        alpha: alpha as f32,
        k: k as f32,
    };
    let threads = threads(values.len() * size);
    let planes = [shape[1], shape[2] * shape[3]];
    let made = match gradient.map(B::contiguous) {
        None => lrn(isa, threads, values, planes, params),
        Some(gradient) => {
            let arrays = [values, floats::<B>(&gradient)];
            lrn_gradient(isa, threads, arrays, planes, params)
        }
    };
    B::tensor(made, shape)
}
