//! Host backends: backends whose tensors are arrays in the memory of this process.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

/// A backend whose tensors are arrays in the memory of this process.
pub(in crate::ops) trait HostBackend: Backend {
    /// The elements of a row-major contiguous tensor of `f32`; `None` for any other tensor.
    fn as_f32_slice(x: &FloatTensor<Self>) -> Option<&[f32]>;

    /// The elements of a row-major contiguous tensor of `f32` whose memory no other tensor shares;
    /// `None` for any other tensor.
    fn as_f32_slice_mut(x: &mut FloatTensor<Self>) -> Option<&mut [f32]>;

    /// Returns a row-major contiguous tensor with the values of `x`.
    fn into_contiguous(x: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Returns a tensor of row-major elements.
    fn from_vec(values: Vec<f32>, shape: Shape) -> FloatTensor<Self>;

    /// Whether `x` is a tensor of `f32` whose clones share its memory, which is not written while it
    /// is shared.
    fn is_copy_on_write(x: &FloatTensor<Self>) -> bool;

    /// Whether no other tensor shares the memory of `x`.
    fn is_unique(x: &FloatTensor<Self>) -> bool;
}
