//! Burn's flex backend.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::{DType, Shape, TensorData};

use super::host::Host;

impl Host for Flex {
    fn floats(x: &FlexTensor) -> Option<&[f32]> {
        x.as_slice()
    }

    fn contiguous(x: FlexTensor) -> FlexTensor {
        match x.is_contiguous() {
            true => x,
            false => x.to_contiguous(),
        }
    }

    fn tensor(values: Vec<f32>, shape: Shape) -> FlexTensor {
        FlexTensor::from_data(TensorData::new(values, shape))
    }

    fn floats_mut(x: &mut FlexTensor) -> Option<&mut [f32]> {
        if x.dtype() != DType::F32 {
            return None;
        }
        let (start, end) = x.layout().contiguous_offsets()?;
        x.try_storage_mut()?.get_mut(start..end)
    }

    /// Memory is behind one `Arc`, written only by its last holder.
    fn is_shareable(x: &FlexTensor) -> bool {
        x.dtype() == DType::F32
    }

    fn is_unshared(x: &FlexTensor) -> bool {
        x.is_unique()
    }
}
