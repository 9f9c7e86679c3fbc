//! Backends whose tensors are arrays in this process's memory.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

/// A backend whose tensors are arrays in this process's memory.
pub(in crate::ops) trait Host: Backend {
    /// The elements, row by row, of a contiguous tensor of `f32`.
    fn floats(x: &FloatTensor<Self>) -> Option<&[f32]>;

    /// The same values, contiguous.
    fn contiguous(x: FloatTensor<Self>) -> FloatTensor<Self>;

    /// A tensor of these elements.
    fn tensor(values: Vec<f32>, shape: Shape) -> FloatTensor<Self>;

    /// The elements, row by row, of a contiguous tensor of `f32` whose memory nobody else has.
    fn floats_mut(x: &mut FloatTensor<Self>) -> Option<&mut [f32]>;

    /// Whether clones of `x` share its memory, which nobody writes while it is shared.
    fn is_shareable(x: &FloatTensor<Self>) -> bool;

    /// Whether nobody else has the memory of `x`.
    fn is_unshared(x: &FloatTensor<Self>) -> bool;
}
