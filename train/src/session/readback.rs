//! Copies tensors from the device to the host.

use burn::tensor::Tensor;

use crate::error::TrainError;

/// Reads the value of a tensor with one element.
pub fn read_scalar(tensor: Tensor<1>) -> Result<f64, TrainError> {
    let value = tensor
        .try_into_vec_as::<f64>()
        .map_err(TrainError::device)?;
    Ok(value.first().copied().unwrap_or(f64::NAN))
}

/// Reads the values of a matrix in row-major order.
pub fn read_matrix(tensor: Tensor<2>) -> Result<Vec<f32>, TrainError> {
    tensor.try_into_vec_as::<f32>().map_err(TrainError::device)
}
