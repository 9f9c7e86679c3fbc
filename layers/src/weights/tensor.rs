//! A tensor of a state dictionary, whose values are read on first use.

use burn::tensor::{BoolStore, Bytes, DType, TensorData};
use burn_store::bridge;
use burn_store::burn_pack::{Error as StoreError, Tensor as StoredTensor};

use super::error::WeightsError;
use super::format::FloatType;

/// A named tensor with known shape and element type, whose values stay in the file or on the device
/// until [`data`](Self::data) is called.
#[derive(Debug, Clone)]
pub struct WeightTensor {
    stored: StoredTensor,
}

impl WeightTensor {
    /// Wraps a tensor of Burn's weight stores.
    pub(super) fn new(stored: StoredTensor) -> Self {
        Self { stored }
    }

    /// Returns the name.
    pub(super) fn name(&self) -> &str {
        &self.stored.name
    }

    /// Returns the tensor under another name.
    pub(super) fn renamed(mut self, name: String) -> Self {
        self.stored.name = name;
        self
    }

    /// Returns the shape, outermost axis first.
    pub fn shape(&self) -> &[usize] {
        &self.stored.shape
    }

    /// Returns the stored element type.
    pub fn dtype(&self) -> DType {
        self.stored.dtype
    }

    /// Returns the element type of [`data`](Self::data).
    pub(super) fn loaded_dtype(&self) -> DType {
        match self.stored.dtype {
            DType::Bool(_) => DType::Bool(BoolStore::Native),
            dtype if dtype.is_float() => DType::F32,
            dtype => dtype,
        }
    }

    /// Reads the values. Floating-point values of any type are converted to `f32`; integers and
    /// booleans keep their type.
    ///
    /// # Errors
    ///
    /// [`WeightsError::Tensor`] if the values cannot be read or are quantized.
    pub fn data(&self) -> Result<TensorData, WeightsError> {
        if self.shape().contains(&0) {
            // The empty byte slice of a file has no alignment, so that the cast below would fail.
            let empty = Bytes::from_elems(Vec::<u64>::new());
            return TensorData::try_from_bytes(
                empty,
                self.stored.shape.clone(),
                self.loaded_dtype(),
            )
            .map_err(|error| self.error(error));
        }
        let data = bridge::to_data(&self.stored).map_err(|error| self.error(error))?;
        let data = data
            .try_cast(self.loaded_dtype())
            .map_err(|error| self.error(error))?;
        if data.dtype() == DType::F32 {
            // The values are copied into owned memory: every operation on bytes borrowed from a
            // file would copy them.
            let values = data
                .try_to_vec::<f32>()
                .map_err(|error| self.error(error))?;
            return Ok(TensorData::new(values, self.stored.shape.clone()));
        }
        if matches!(data.dtype(), DType::Bool(_)) {
            // A file may contain any byte as a boolean, and only 0 and 1 are valid.
            data.as_slice::<bool>().map_err(|error| self.error(error))?;
        }
        Ok(data)
    }

    /// Returns the element type in a file with this floating-point type.
    pub(super) fn file_dtype(&self, float_type: FloatType) -> DType {
        match self.loaded_dtype() {
            DType::F32 => float_type.dtype(),
            dtype => dtype,
        }
    }

    /// Returns the length of [`file_bytes`](Self::file_bytes) in bytes.
    pub(super) fn file_len(&self, float_type: FloatType) -> usize {
        self.shape().iter().product::<usize>() * self.file_dtype(float_type).size()
    }

    /// Returns the values as bytes of a file with this floating-point type: little-endian,
    /// row-major.
    pub(super) fn file_bytes(&self, float_type: FloatType) -> Result<Bytes, WeightsError> {
        let data = self.data()?;
        if data.dtype() == DType::F32 {
            let values = data.as_slice::<f32>().map_err(|error| self.error(error))?;
            let mut values = values.iter();
            if let Some(&value) = values.find(|&&value| !float_type.can_represent(value)) {
                return Err(WeightsError::OutOfRange {
                    name: self.name().to_owned(),
                    value,
                    float_type,
                });
            }
        }
        data.try_cast(self.file_dtype(float_type))
            .map(TensorData::into_bytes)
            .map_err(|error| self.error(error))
    }

    /// Returns this tensor for Burn's `Applier`, which writes its `f32` values to the parameter at
    /// `path`.
    pub(super) fn for_module(&self, path: String) -> StoredTensor {
        let tensor = self.clone();
        bridge::deferred(
            path,
            self.loaded_dtype(),
            self.stored.shape.clone(),
            self.stored.param_id,
            move || {
                let data = tensor.data();
                data.map_err(|error| StoreError::ValidationError(error.to_string()))
            },
        )
    }

    /// Returns [`WeightsError::Tensor`] of this tensor.
    pub(super) fn error(&self, reason: impl ToString) -> WeightsError {
        WeightsError::Tensor {
            name: self.name().to_owned(),
            reason: reason.to_string(),
        }
    }
}
