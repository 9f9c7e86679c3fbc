//! One tensor of a state dictionary, its values read when they are asked for.

use burn::tensor::{BoolStore, Bytes, DType, TensorData};
use burn_store::bridge;
use burn_store::burn_pack::Tensor as StoredTensor;

use super::error::WeightsError;
use super::format::Precision;

/// A named tensor: its shape and type are known, its values stay in the file or on the device
/// until they are asked for.
#[derive(Debug, Clone)]
pub struct WeightTensor {
    stored: StoredTensor,
}

impl WeightTensor {
    pub(super) fn new(stored: StoredTensor) -> Self {
        Self { stored }
    }

    pub(super) fn name(&self) -> &str {
        &self.stored.name
    }

    pub(super) fn renamed(mut self, name: String) -> Self {
        self.stored.name = name;
        self
    }

    /// The extents, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.stored.shape
    }

    /// The type of the elements as they are stored.
    pub fn dtype(&self) -> DType {
        self.stored.dtype
    }

    /// The type of the elements that [`data`](Self::data) gives.
    pub(super) fn loaded_dtype(&self) -> DType {
        match self.stored.dtype {
            DType::Bool(_) => DType::Bool(BoolStore::Native),
            dtype if dtype.is_float() => DType::F32,
            dtype => dtype,
        }
    }

    /// The values: floating-point ones as `f32`, whatever is stored, the others as they are.
    ///
    /// # Errors
    ///
    /// [`WeightsError::Tensor`] when the values cannot be read, or are quantized.
    pub fn data(&self) -> Result<TensorData, WeightsError> {
        if self.shape().contains(&0) {
            // The bytes of nothing that a file gives are aligned to nothing, which a cast refuses.
            let nothing = Bytes::from_elems(Vec::<u64>::new());
            return TensorData::try_from_bytes(
                nothing,
                self.stored.shape.clone(),
                self.loaded_dtype(),
            )
            .map_err(|error| self.unusable(error));
        }
        let data = bridge::to_data(&self.stored).map_err(|error| self.unusable(error))?;
        let data = data
            .try_cast(self.loaded_dtype())
            .map_err(|error| self.unusable(error))?;
        if data.dtype() == DType::F32 {
            // Memory of its own: what a file lends would be copied by every operation.
            let values = data
                .try_to_vec::<f32>()
                .map_err(|error| self.unusable(error))?;
            return Ok(TensorData::new(values, self.stored.shape.clone()));
        }
        if matches!(data.dtype(), DType::Bool(_)) {
            // A file may hold any byte where only 0 and 1 are booleans.
            data.as_slice::<bool>()
                .map_err(|error| self.unusable(error))?;
        }
        Ok(data)
    }

    /// The type of the elements in a file of this precision.
    pub(super) fn written_dtype(&self, precision: Precision) -> DType {
        match self.loaded_dtype() {
            DType::F32 => precision.dtype(),
            dtype => dtype,
        }
    }

    /// How many bytes [`written`](Self::written) gives.
    pub(super) fn written_len(&self, precision: Precision) -> usize {
        self.shape().iter().product::<usize>() * self.written_dtype(precision).size()
    }

    /// The values as a file of this precision holds them: little-endian, row by row.
    pub(super) fn written(&self, precision: Precision) -> Result<Bytes, WeightsError> {
        let data = self.data()?;
        if data.dtype() == DType::F32 {
            let values = data
                .as_slice::<f32>()
                .map_err(|error| self.unusable(error))?;
            if let Some(&value) = values.iter().find(|&&value| !precision.holds(value)) {
                return Err(WeightsError::OutOfRange {
                    name: self.name().to_owned(),
                    value,
                    precision,
                });
            }
        }
        data.try_cast(self.written_dtype(precision))
            .map(TensorData::into_bytes)
            .map_err(|error| self.unusable(error))
    }

    /// This tensor for Burn's applier, which materialises it as `f32` under `path`.
    pub(super) fn for_module(&self, path: String) -> StoredTensor {
        let tensor = self.clone();
        bridge::deferred(
            path,
            self.loaded_dtype(),
            self.stored.shape.clone(),
            self.stored.param_id,
            move || {
                tensor.data().map_err(|error| {
                    burn_store::burn_pack::Error::ValidationError(error.to_string())
                })
            },
        )
    }

    pub(super) fn unusable(&self, reason: impl ToString) -> WeightsError {
        WeightsError::Tensor {
            name: self.name().to_owned(),
            reason: reason.to_string(),
        }
    }
}
