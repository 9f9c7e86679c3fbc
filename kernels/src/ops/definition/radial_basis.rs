//! Radial basis functions by Burn's operations.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Shape, TensorMetadata};

/// See [`radial_basis`](crate::ops::radial_basis()). Computes the squares of differences, since the
/// expanded square would lose small distances to cancellation.
pub(in crate::ops) fn forward<B: Backend>(
    x: FloatTensor<B>,
    centers: FloatTensor<B>,
) -> FloatTensor<B> {
    let [batch, features] = x.shape().dims();
    let [classes, _] = centers.shape().dims();
    let difference = B::float_sub(
        B::float_reshape(x, Shape::new([batch, 1, features])),
        B::float_reshape(centers, Shape::new([1, classes, features])),
    );
    let square = B::float_mul(difference.clone(), difference);
    B::float_reshape(B::float_sum_dim(square, 2), Shape::new([batch, classes]))
}
