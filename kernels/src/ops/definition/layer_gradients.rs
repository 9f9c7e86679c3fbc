//! Gradients of the input, weight and bias of a layer.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

/// Gradients of the input, weight and bias of a layer; `None` for a gradient that was not requested.
pub(in crate::ops) struct LayerGradients<B: Backend> {
    pub x: Option<FloatTensor<B>>,
    pub weight: Option<FloatTensor<B>>,
    pub bias: Option<FloatTensor<B>>,
}
