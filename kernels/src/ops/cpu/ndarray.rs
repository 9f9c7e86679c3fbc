//! Burn's ndarray backend as a host backend.

// Burn has deprecated its ndarray backend; this crate supports it until Burn removes it.
#![allow(deprecated)]

use burn::backend::NdArray;
use burn::backend::ndarray::NdArrayTensor;
use burn::tensor::{Shape, TensorData};

use super::host::HostBackend;

impl HostBackend for NdArray {
    fn as_f32_slice(x: &NdArrayTensor) -> Option<&[f32]> {
        match x {
            NdArrayTensor::F32(storage) => storage.view().to_slice(),
            _ => None,
        }
    }

    fn as_f32_slice_mut(x: &mut NdArrayTensor) -> Option<&mut [f32]> {
        match x {
            NdArrayTensor::F32(storage) if storage.is_unique() => {
                storage.ensure_owned().as_slice_mut()
            }
            _ => None,
        }
    }

    fn into_contiguous(x: NdArrayTensor) -> NdArrayTensor {
        match &x {
            NdArrayTensor::F32(storage) if !storage.view().is_standard_layout() => {
                let view = storage.view();
                let shape = Shape::from(view.shape().to_vec());
                Self::from_vec(view.iter().copied().collect(), shape)
            }
            _ => x,
        }
    }

    fn from_vec(values: Vec<f32>, shape: Shape) -> NdArrayTensor {
        NdArrayTensor::from_data(TensorData::new(values, shape))
    }

    /// Owned storage is behind one `Arc` and is written only by its last holder. Storage that is
    /// borrowed, such as from a file, may be copied by a clone.
    fn is_copy_on_write(x: &NdArrayTensor) -> bool {
        matches!(x, NdArrayTensor::F32(storage) if storage.is_owned())
    }

    fn is_unique(x: &NdArrayTensor) -> bool {
        matches!(x, NdArrayTensor::F32(storage) if storage.is_unique())
    }
}
