//! Addition fused with ReLU, the end of a residual block.

use super::backend::KernelOps;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// Returns `max(x + y, 0)` for tensors of the same shape. Capture records Burn's addition and ReLU.
///
/// # Panics
///
/// When the shapes differ.
pub fn add_relu(x: Tensor<4>, y: Tensor<4>) -> Tensor<4> {
    let (left, right) = (x.dims(), y.dims());
    assert!(
        left == right,
        "expected maps of the same shape, found {left:?} and {right:?}"
    );
    Tensor::from_dispatch(Dispatch::add_relu(x.into_dispatch(), y.into_dispatch()))
}
