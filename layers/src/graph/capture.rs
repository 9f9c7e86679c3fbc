//! Tensors of Burn's capture device, which records operations instead of computing them.

use std::collections::HashMap;

use burn::backend::capture::{CaptureBackend, TensorId};
use burn::backend::tensor::FloatTensor;
use burn::tensor::kind::Basic;
use burn::tensor::{BackendPrimitive, Tensor};

/// The captured tensors that connect a recording to the caller.
pub(super) struct Boundary {
    /// The network's input. A zero tensor of the capture device stands for it and allocates
    /// nothing.
    pub(super) input: TensorId,
    /// The module paths of the parameters and running statistics.
    pub(super) parameters: HashMap<TensorId, String>,
    /// The outputs of `forward`, in order.
    pub(super) outputs: Vec<TensorId>,
}

/// Returns the id of a tensor on the capture device, or `None` for a tensor on any other device.
pub(super) fn captured_id<const D: usize, K>(tensor: Tensor<D, K>) -> Option<TensorId>
where
    K: Basic + BackendPrimitive<CaptureBackend, Primitive = FloatTensor<CaptureBackend>>,
{
    let tensor = tensor.try_into_primitive::<CaptureBackend>().ok()?;
    Some(tensor.id())
}
