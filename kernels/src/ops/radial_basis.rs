//! Euclidean radial basis functions, LeNet-5's output layer.

use super::backend::KernelOps;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// Returns the squared distance of every row of `x` from every center, `y_ij = sum_k (x_ik - c_jk)^2`
/// (Gradient-Based Learning Applied to Document Recognition, equation 7).
///
/// `x` is `[batch, features]`, `centers` is `[classes, features]`, and the output is
/// `[batch, classes]`. The class with the smallest distance is the prediction. Capture records
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
        "the input has {features} features, the centers have {expected}"
    );
    Tensor::from_dispatch(Dispatch::radial_basis(
        x.into_dispatch(),
        centers.into_dispatch(),
    ))
}
