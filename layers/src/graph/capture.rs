//! Tensors of Burn's capture device, which records operations instead of computing them.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use burn::backend::capture::{CaptureBackend, TensorId};
use burn::backend::tensor::FloatTensor;
use burn::tensor::kind::Basic;
use burn::tensor::{BackendPrimitive, Device, Tensor};

/// A capture device that no other recording uses, until it is dropped.
///
/// Devices are reused, because Burn numbers at most 65,536 of them in a process.
pub(super) struct RecordingDevice(Device);

/// The capture devices that no recording uses.
static IDLE: Mutex<Vec<Device>> = Mutex::new(Vec::new());

impl RecordingDevice {
    pub fn new() -> Self {
        let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self(idle.unwrap_or_else(Device::capture))
    }
}

impl Drop for RecordingDevice {
    fn drop(&mut self) {
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(self.0.clone());
    }
}

impl Deref for RecordingDevice {
    type Target = Device;

    fn deref(&self) -> &Device {
        &self.0
    }
}

/// The captured tensors that connect a recording to the caller.
pub(super) struct Boundary<'a> {
    /// The network's input. A zero tensor of the capture device stands for it and allocates
    /// nothing.
    pub(super) input: TensorId,
    /// The module paths of the parameters and running statistics.
    pub(super) parameters: &'a HashMap<TensorId, String>,
    /// The outputs of `forward`, in order; a tensor that `forward` returned twice occurs twice.
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn devices_are_reused() {
        let devices = (0..1000).map(|_| format!("{:?}", *RecordingDevice::new()));
        let distinct: HashSet<String> = devices.collect();
        // Other tests record on other threads.
        assert!(distinct.len() < 100, "{}", distinct.len());
        let one = RecordingDevice::new();
        let other = RecordingDevice::new();
        assert_ne!(format!("{:?}", *one), format!("{:?}", *other));
    }
}
