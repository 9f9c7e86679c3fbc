//! Euclidean radial basis functions, LeNet-5's output layer.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Shape, TensorMetadata};
use burn::tensor::Tensor;

use super::backend::KernelOps;

/// `y_ij = sum_k (x_ik - c_jk)^2`: the squared distance of every row of `x` from every center
/// (Gradient-Based Learning Applied to Document Recognition, equation 7).
///
/// `x` is `[batch, features]`, `centers` `[classes, features]`, the result `[batch, classes]`; the
/// smallest value marks the likeliest class. Capture records
/// [`ids::RADIAL_BASIS`](super::ids::RADIAL_BASIS).
///
/// # Panics
///
/// When `x` and `centers` have different numbers of features.
pub fn radial_basis(x: Tensor<2>, centers: Tensor<2>) -> Tensor<2> {
    let [_, features] = x.dims();
    let [_, expected] = centers.dims();
    assert!(
        features == expected,
        "input has {features} features, the centers have {expected}"
    );
    Tensor::from_dispatch(Dispatch::radial_basis(
        x.into_dispatch(),
        centers.into_dispatch(),
    ))
}

/// Differences first, squares after: expanding the square would lose the small distances to
/// cancellation.
pub(super) fn forward<B: Backend>(x: FloatTensor<B>, centers: FloatTensor<B>) -> FloatTensor<B> {
    let [batch, features] = x.shape().dims();
    let [classes, _] = centers.shape().dims();
    let difference = B::float_sub(
        B::float_reshape(x, Shape::new([batch, 1, features])),
        B::float_reshape(centers, Shape::new([1, classes, features])),
    );
    let square = B::float_mul(difference.clone(), difference);
    B::float_reshape(B::float_sum_dim(square, 2), Shape::new([batch, classes]))
}
