//! Memory and elements of tensors that training operations share.

use std::cell::RefCell;

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::DType;

use crate::cpu::Buffer;
use crate::ops::cpu::host::Host;
use crate::ops::cpu::program::isa;

/// Elements of memory that a thread keeps for its next operation.
const KEPT: usize = 16 << 20;

thread_local! {
    /// Packed weights, and the maps and sums of a weight's gradient.
    static MEMORY: RefCell<Buffer> = RefCell::default();
}

/// The memory, larger if need be, given back afterwards.
pub(super) fn with_memory<R>(work: impl FnOnce(Buffer) -> (R, Buffer)) -> R {
    MEMORY.with_borrow_mut(|kept| {
        let (result, memory) = work(std::mem::take(kept));
        if memory.len() <= KEPT {
            *kept = memory;
        }
        result
    })
}

/// The elements of a contiguous tensor that was of `f32` in the forward pass.
pub(super) fn floats<B: Host>(tensor: &FloatTensor<B>) -> &[f32] {
    B::floats(tensor).expect("computed here")
}

/// Multiply-adds that take as long as an element takes to come from memory and go there, about.
pub(super) const PASSES: usize = 4;

/// Whether this tensor's batch norm, pools and steps of descent are computed here.
pub(in crate::ops) fn is_supported<B: Host>(x: &FloatTensor<B>) -> bool {
    x.dtype() == DType::F32 && x.shape().num_elements() > 0 && isa().is_some()
}
