//! Fully connected layers.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::memory::floats;
use crate::cpu::gradient::{bias_gradient, linear, linear_input_gradient, linear_weight_gradient};
use crate::ops::cpu::execute::threads;
use crate::ops::cpu::host::Host;
use crate::ops::cpu::program::isa;
use crate::ops::definition::layer_gradients::LayerGradients;

/// Images up to which a fully connected layer waits for its weights, not for multiplications. Of more, one whose
/// multiplications are too few for a second thread is computed here all the same: elsewhere threads would be woken.
const FEW: usize = 32;

/// A fully connected layer; `None` where its gradients are not computed here.
pub(in crate::ops) fn fully_connected<B: Host>(
    x: &FloatTensor<B>,
    weight: &FloatTensor<B>,
    bias: Option<&FloatTensor<B>>,
) -> Option<FloatTensor<B>> {
    let images = x.shape()[0];
    let isa = isa()?;
    if images == 0 || images > FEW && threads(images * weight.shape().num_elements()) > 1 {
        return None;
    }
    let [x, weight] = [x, weight].map(|tensor| B::contiguous(tensor.clone()));
    let bias = bias.map(|bias| B::contiguous(bias.clone()));
    let (values, weights) = (B::floats(&x)?, B::floats(&weight)?);
    if values.is_empty() || weights.is_empty() {
        return None;
    }
    let biases = match &bias {
        Some(bias) => Some(B::floats(bias)?),
        None => None,
    };
    let threads = threads(images * weights.len());
    let y = linear(isa, threads, images, values, weights, biases);
    Some(B::tensor(y, Shape::new([images, weight.shape()[1]])))
}

/// The gradients of what [`fully_connected`] computed.
pub(in crate::ops) fn linear_gradients<B: Host>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    gradient: FloatTensor<B>,
    [want_x, want_weight, want_bias]: [bool; 3],
) -> LayerGradients<B> {
    let isa = isa().expect("computed here");
    let [x, weight, gradient] = [x, weight, gradient].map(B::contiguous);
    let floats = floats::<B>;
    let (values, weights, gradients) = (floats(&x), floats(&weight), floats(&gradient));
    let images = x.shape()[0];
    let threads = threads(images * weights.len());
    LayerGradients {
        x: want_x.then(|| {
            let made = linear_input_gradient(isa, threads, images, weights, gradients);
            B::tensor(made, x.shape())
        }),
        weight: want_weight.then(|| {
            let made = linear_weight_gradient(isa, threads, images, values, gradients);
            B::tensor(made, weight.shape())
        }),
        bias: want_bias.then(|| {
            let outputs = weight.shape()[1];
            let made = bias_gradient(1, outputs, 1, gradients);
            B::tensor(made, Shape::new([outputs]))
        }),
    }
}
