//! Addition and ReLU by Burn's operations.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

/// See [`add_relu`](crate::ops::add_relu()).
pub(in crate::ops) fn forward<B: Backend>(x: FloatTensor<B>, y: FloatTensor<B>) -> FloatTensor<B> {
    B::relu(B::float_add(x, y))
}
