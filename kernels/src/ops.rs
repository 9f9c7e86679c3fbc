//! Ops stub.
use burn::tensor::Tensor;

/// stub
pub fn local_response_norm(x: Tensor<4>, size: usize, alpha: f64, beta: f64, k: f64) -> Tensor<4> {
    let _ = (size, alpha, beta, k);
    x
}
