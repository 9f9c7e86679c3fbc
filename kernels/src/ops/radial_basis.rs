//! Euclidean radial basis functions, LeNet-5's output layer.

use super::backend::KernelOps;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

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
