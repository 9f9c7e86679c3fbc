//! Local response normalization across channels, as defined in AlexNet's paper.

use super::backend::KernelOps;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// Returns `b_i = a_i / (k + alpha * sum_j a_j^2)^beta`, where `j` runs over the `size` channels around
/// `i`, from `max(0, i - size/2)` to `min(channels - 1, i + size/2)` (ImageNet Classification with
/// Deep Convolutional Neural Networks, section 3.3).
///
/// `x` and the output are `[batch, channels, height, width]`. `alpha` multiplies the sum; the layers
/// of PyTorch and Burn multiply the mean and take `alpha * size` for the same result.
/// Capture records [`ids::LOCAL_RESPONSE_NORM`](super::ids::LOCAL_RESPONSE_NORM).
///
/// # Panics
///
/// When `size` is even; the window is centered on a channel.
pub fn local_response_norm(x: Tensor<4>, size: usize, alpha: f64, beta: f64, k: f64) -> Tensor<4> {
    assert!(
        size % 2 == 1,
        "local response norm over {size} channels, expected an odd number"
    );
    Tensor::from_dispatch(Dispatch::local_response_norm(
        x.into_dispatch(),
        size,
        alpha,
        beta,
        k,
    ))
}
