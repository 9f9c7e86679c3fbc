//! Gradients of a layer's input, weight and bias.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

/// The gradients of those of a layer's input, weight and bias that have one.
pub(in crate::ops) struct LayerGradients<B: Backend> {
    pub x: Option<FloatTensor<B>>,
    pub weight: Option<FloatTensor<B>>,
    pub bias: Option<FloatTensor<B>>,
}
