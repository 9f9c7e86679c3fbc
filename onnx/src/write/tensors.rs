//! Constants: parameters in PyTorch's layout, and lists of numbers.

use std::borrow::Cow;

use burn::tensor::DType;
use receptive_layers::graph::{Value, ValueData};

use crate::proto::{DataType, TensorProto};

/// Returns the elements of `value` as float32, or as int64 for integers; `None` if they are unknown.
///
/// `transposed` exchanges the two axes of a matrix.
pub fn tensor(value: &Value, name: &str, transposed: bool) -> Option<TensorProto> {
    let data = value.data.as_ref()?;
    let is_float = matches!(
        value.dtype,
        DType::F64 | DType::F32 | DType::Flex32 | DType::F16 | DType::BF16
    );
    let mut shape = value.shape.clone();
    if !is_float {
        let elements: Vec<i64> = match data {
            ValueData::Elements(data) => data.iter::<i64>().collect(),
            ValueData::Fill(number) => vec![*number as i64; value.len()],
        };
        return Some(integers(name, &shape, &elements));
    }
    let mut elements: Cow<'_, [f32]> = match data {
        ValueData::Elements(data) => match data.as_slice::<f32>() {
            Ok(elements) => elements.into(),
            Err(_) => data.iter::<f32>().collect(),
        },
        ValueData::Fill(number) => vec![*number as f32; value.len()].into(),
    };
    if let (true, &[rows, columns]) = (transposed, &shape[..]) {
        elements = transpose(&elements, rows, columns).into();
        shape = vec![columns, rows];
    }
    Some(floats(name, &shape, &elements))
}

/// Returns a float32 tensor.
pub fn floats(name: &str, shape: &[usize], elements: &[f32]) -> TensorProto {
    let mut raw_data = Vec::with_capacity(4 * elements.len());
    for element in elements {
        raw_data.extend_from_slice(&element.to_le_bytes());
    }
    TensorProto {
        dims: dims(shape),
        data_type: DataType::Float.into(),
        name: name.to_owned(),
        raw_data: raw_data.into(),
        ..TensorProto::default()
    }
}

/// Returns an int64 tensor.
pub fn integers(name: &str, shape: &[usize], elements: &[i64]) -> TensorProto {
    TensorProto {
        dims: dims(shape),
        data_type: DataType::Int64.into(),
        name: name.to_owned(),
        raw_data: elements.iter().flat_map(|v| v.to_le_bytes()).collect(),
        ..TensorProto::default()
    }
}

/// Returns the lengths of the axes as ONNX's numbers.
pub fn dims(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&length| length as i64).collect()
}

/// Returns numbers as ONNX's integers.
pub fn signed(numbers: impl Iterator<Item = usize>) -> Vec<i64> {
    numbers.map(|number| number as i64).collect()
}

/// Returns the transposed matrix `[columns, rows]` of a matrix `[rows, columns]`, in blocks of 16 rows, which fit in the cache.
fn transpose(elements: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut transposed = vec![0.0; elements.len()];
    if elements.is_empty() {
        return transposed;
    }
    for (block, from) in elements.chunks(16 * columns).enumerate() {
        for (column, to) in transposed.chunks_exact_mut(rows).enumerate() {
            let column = from[column..].iter().step_by(columns);
            for (to, from) in to[16 * block..].iter_mut().zip(column) {
                *to = *from;
            }
        }
    }
    transposed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_is_transposed() {
        let elements = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(transpose(&elements, 2, 3), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        let large: Vec<f32> = (0..37 * 5).map(|i| i as f32).collect();
        let transposed = transpose(&large, 37, 5);
        assert_eq!(transposed[4 * 37 + 36], 36.0 * 5.0 + 4.0);
        assert_eq!(transpose(&transposed, 5, 37), large);
    }
}
