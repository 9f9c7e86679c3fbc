//! Burn's flex backend as a host backend.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::{DType, Shape, TensorData};

use super::host::HostBackend;

impl HostBackend for Flex {
    fn as_f32_slice(x: &FlexTensor) -> Option<&[f32]> {
        x.as_slice()
    }

    fn as_f32_slice_mut(x: &mut FlexTensor) -> Option<&mut [f32]> {
        if x.dtype() != DType::F32 {
            return None;
        }
        let (start, end) = x.layout().contiguous_offsets()?;
        x.try_storage_mut()?.get_mut(start..end)
    }

    fn into_contiguous(x: FlexTensor) -> FlexTensor {
        match x.is_contiguous() {
            true => x,
            false => x.to_contiguous(),
        }
    }

    fn from_vec(values: Vec<f32>, shape: Shape) -> FlexTensor {
        FlexTensor::from_data(TensorData::new(values, shape))
    }

    /// All storage is behind one `Arc` and is written only by its last holder.
    fn is_copy_on_write(x: &FlexTensor) -> bool {
        x.dtype() == DType::F32
    }

    fn is_unique(x: &FlexTensor) -> bool {
        x.is_unique()
    }
}
