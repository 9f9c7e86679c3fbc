//! Burn's ndarray backend.

// Deprecated upstream, first class here.
#![allow(deprecated)]

use burn::backend::NdArray;
use burn::backend::ndarray::NdArrayTensor;
use burn::tensor::{Shape, TensorData};

use super::host::Host;

impl Host for NdArray {
    fn floats(x: &NdArrayTensor) -> Option<&[f32]> {
        match x {
            NdArrayTensor::F32(storage) => storage.view().to_slice(),
            _ => None,
        }
    }

    fn contiguous(x: NdArrayTensor) -> NdArrayTensor {
        match &x {
            NdArrayTensor::F32(storage) if !storage.view().is_standard_layout() => {
                let view = storage.view();
                let shape = Shape::from(view.shape().to_vec());
                Self::tensor(view.iter().copied().collect(), shape)
            }
            _ => x,
        }
    }

    fn tensor(values: Vec<f32>, shape: Shape) -> NdArrayTensor {
        NdArrayTensor::from_data(TensorData::new(values, shape))
    }

    fn floats_mut(x: &mut NdArrayTensor) -> Option<&mut [f32]> {
        match x {
            NdArrayTensor::F32(storage) if storage.is_unique() => {
                storage.ensure_owned().as_slice_mut()
            }
            _ => None,
        }
    }

    /// Arrays of its own are behind one `Arc`, written only by its last holder. Clones of one that
    /// it borrows, from a file, may have memory of their own.
    fn is_shareable(x: &NdArrayTensor) -> bool {
        matches!(x, NdArrayTensor::F32(storage) if storage.is_owned())
    }

    fn is_unshared(x: &NdArrayTensor) -> bool {
        matches!(x, NdArrayTensor::F32(storage) if storage.is_unique())
    }
}
