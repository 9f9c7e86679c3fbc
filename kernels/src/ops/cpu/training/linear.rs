//! Fully connected layer and its gradients.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::memory::f32_slice;
use crate::cpu::gradient::{bias_gradient, linear, linear_input_gradient, linear_weight_gradient};
use crate::ops::cpu::execute::threads;
use crate::ops::cpu::host::HostBackend;
use crate::ops::cpu::program::isa;
use crate::ops::definition::layer_gradients::LayerGradients;

/// Largest batch for which the kernels compute a layer on several threads. Up to this size, the layer
/// is limited by the memory bandwidth of its weights. A larger batch is computed by the kernels only if
/// one thread suffices, since Burn's matrix multiplication would wake other threads.
const MAX_IMAGES: usize = 32;

/// Returns the output of a fully connected layer; `None` if the kernels do not compute its gradients.
pub(in crate::ops) fn fully_connected<B: HostBackend>(
    x: &FloatTensor<B>,
    weight: &FloatTensor<B>,
    bias: Option<&FloatTensor<B>>,
) -> Option<FloatTensor<B>> {
    let images = x.shape()[0];
    let isa = isa()?;
    if images == 0 || images > MAX_IMAGES && threads(images * weight.shape().num_elements()) > 1 {
        return None;
    }
    let [x, weight] = [x, weight].map(|tensor| B::into_contiguous(tensor.clone()));
    let bias = bias.map(|bias| B::into_contiguous(bias.clone()));
    let (values, weights) = (B::as_f32_slice(&x)?, B::as_f32_slice(&weight)?);
    if values.is_empty() || weights.is_empty() {
        return None;
    }
    let biases = match &bias {
        Some(bias) => Some(B::as_f32_slice(bias)?),
        None => None,
    };
    let threads = threads(images * weights.len());
    let y = linear(isa, threads, images, values, weights, biases);
    Some(B::from_vec(y, Shape::new([images, weight.shape()[1]])))
}

/// Returns the wanted gradients of the input, weight and bias of a [`fully_connected`] layer.
pub(in crate::ops) fn linear_gradients<B: HostBackend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    gradient: FloatTensor<B>,
    [want_x, want_weight, want_bias]: [bool; 3],
) -> LayerGradients<B> {
    let isa = isa().expect("checked in the forward pass");
    let [x, weight, gradient] = [x, weight, gradient].map(B::into_contiguous);
    let f32_slice = f32_slice::<B>;
    let (values, weights, gradients) = (f32_slice(&x), f32_slice(&weight), f32_slice(&gradient));
    let images = x.shape()[0];
    let threads = threads(images * weights.len());
    LayerGradients {
        x: want_x.then(|| {
            let values = linear_input_gradient(isa, threads, images, weights, gradients);
            B::from_vec(values, x.shape())
        }),
        weight: want_weight.then(|| {
            let values = linear_weight_gradient(isa, threads, images, values, gradients);
            B::from_vec(values, weight.shape())
        }),
        bias: want_bias.then(|| {
            let outputs = weight.shape()[1];
            let values = bias_gradient(1, outputs, 1, gradients);
            B::from_vec(values, Shape::new([outputs]))
        }),
    }
}
