//! Scratch memory of training operations, and access to the elements of tensors.

use std::cell::RefCell;

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::DType;

use crate::cpu::Buffer;
use crate::ops::cpu::host::HostBackend;
use crate::ops::cpu::program::isa;

/// Largest scratch memory, in elements, that a thread keeps for its next operation.
const MAX_KEPT_ELEMENTS: usize = 16 << 20;

/// Multiply-adds that take about as long as reading an element from memory and writing it back.
pub(super) const FMAS_PER_MEMORY_ACCESS: usize = 4;

thread_local! {
    /// Scratch memory for packed weights, or for the maps and sums of the gradient of a weight.
    static MEMORY: RefCell<Buffer> = RefCell::default();
}

/// Calls `work` with the scratch memory of this thread. `work` returns its result and the memory, which
/// it may have replaced by a larger buffer.
pub(super) fn with_memory<R>(work: impl FnOnce(Buffer) -> (R, Buffer)) -> R {
    MEMORY.with_borrow_mut(|kept| {
        let (result, memory) = work(std::mem::take(kept));
        if memory.len() <= MAX_KEPT_ELEMENTS {
            *kept = memory;
        }
        result
    })
}

/// The elements of a contiguous tensor.
///
/// # Panics
///
/// When the tensor is not a contiguous tensor of `f32`. [`is_supported`] or the forward pass checked
/// the type of the tensor.
pub(super) fn f32_slice<B: HostBackend>(tensor: &FloatTensor<B>) -> &[f32] {
    B::as_f32_slice(tensor).expect("a contiguous tensor of f32")
}

/// Whether the kernels compute batch norms, pools and other operations on this tensor, and their
/// gradients.
pub(in crate::ops) fn is_supported<B: HostBackend>(x: &FloatTensor<B>) -> bool {
    x.dtype() == DType::F32 && x.shape().num_elements() > 0 && isa().is_some()
}
