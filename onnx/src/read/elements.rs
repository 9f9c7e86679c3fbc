//! Decoding of the elements of tensors.

use burn::tensor::{bf16, f16};
use prost::bytes::Bytes;

use super::tensor::Tensor;
use crate::proto::{DataType, TensorProto};

/// Reason why a tensor cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TensorFault {
    /// The type is not supported.
    #[error("elements of type {0}, expected floats, integers or truth values")]
    Type(String),
    /// The shape is not a shape, or too large.
    #[error("shape {0:?}, expected lengths of 0 or more and less than 2^40 elements")]
    Shape(Vec<i64>),
    /// The number of elements is not that of the shape.
    #[error("{found} {unit} for {elements} elements, expected {expected}")]
    Length {
        /// Unit of the length, such as `bytes`.
        unit: &'static str,
        /// Length in this unit.
        found: usize,
        /// Elements of the shape.
        elements: usize,
        /// Expected number.
        expected: usize,
    },
}

/// Returns the shape and the number of elements that a tensor states.
///
/// # Errors
///
/// [`TensorFault::Shape`].
pub fn shape(proto: &TensorProto) -> Result<(Vec<usize>, usize), TensorFault> {
    let fault = || TensorFault::Shape(proto.dims.iter().copied().take(16).collect());
    let lengths = proto
        .dims
        .iter()
        .map(|&length| usize::try_from(length).ok());
    let shape: Vec<usize> = lengths.collect::<Option<_>>().ok_or_else(fault)?;
    let count = super::shape::elements(&shape).map_err(|_| fault())?;
    Ok((shape, count))
}

/// Returns the type of a tensor's elements.
///
/// # Errors
///
/// [`TensorFault::Type`] for an unknown number.
pub fn data_type(number: i32) -> Result<DataType, TensorFault> {
    DataType::try_from(number).map_err(|_| TensorFault::Type(number.to_string()))
}

/// Returns the size of an element in bytes.
///
/// # Errors
///
/// [`TensorFault::Type`] for texts and types of less than a byte.
pub fn size(data_type: DataType) -> Result<usize, TensorFault> {
    Ok(match data_type {
        DataType::Uint8 | DataType::Int8 | DataType::Bool => 1,
        DataType::Uint16 | DataType::Int16 | DataType::Float16 | DataType::Bfloat16 => 2,
        DataType::Float | DataType::Int32 | DataType::Uint32 => 4,
        DataType::Int64 | DataType::Uint64 | DataType::Double => 8,
        DataType::Undefined | DataType::String => {
            return Err(TensorFault::Type(format!("{data_type:?}")));
        }
    })
}

/// Returns the tensor that `proto` contains. `raw` are its elements in another file.
///
/// # Errors
///
/// [`TensorFault`].
pub fn decode(proto: &TensorProto, raw: Option<&Bytes>) -> Result<Tensor, TensorFault> {
    let (shape, count) = shape(proto)?;
    let data_type = data_type(proto.data_type)?;
    let size = size(data_type)?;
    let raw = raw.unwrap_or(&proto.raw_data);
    let check = |unit, found: usize, expected: usize| match found == expected {
        true => Ok(()),
        false => Err(TensorFault::Length {
            unit,
            found,
            elements: count,
            expected,
        }),
    };
    if !raw.is_empty() || raw_is_stated(proto) {
        check("bytes", raw.len(), count * size)?;
        return Ok(from_bytes(data_type, shape, raw));
    }
    let length = match data_type {
        DataType::Float => proto.float_data.len(),
        DataType::Double => proto.double_data.len(),
        DataType::Int64 => proto.int64_data.len(),
        DataType::Uint32 | DataType::Uint64 => proto.uint64_data.len(),
        _ => proto.int32_data.len(),
    };
    check("numbers", length, count)?;
    let bits = || proto.int32_data.iter().map(|&bits| bits as u16);
    let integers = || proto.int32_data.iter().map(|&number| i64::from(number));
    Ok(match data_type {
        DataType::Float => Tensor::floats(shape, proto.float_data.clone()),
        DataType::Double => {
            let numbers = proto.double_data.iter().map(|&number| number as f32);
            Tensor::floats(shape, numbers.collect())
        }
        DataType::Float16 => {
            let numbers = bits().map(|bits| f16::from_bits(bits).to_f32());
            Tensor::floats(shape, numbers.collect())
        }
        DataType::Bfloat16 => {
            let numbers = bits().map(|bits| bf16::from_bits(bits).to_f32());
            Tensor::floats(shape, numbers.collect())
        }
        DataType::Int64 => Tensor::integers(shape, proto.int64_data.clone()),
        DataType::Uint32 | DataType::Uint64 => {
            let numbers = proto.uint64_data.iter().map(|&number| saturated(number));
            Tensor::integers(shape, numbers.collect())
        }
        DataType::Bool => Tensor::integers(
            shape,
            integers().map(|number| i64::from(number != 0)).collect(),
        ),
        _ => Tensor::integers(shape, integers().collect()),
    })
}

/// Whether no list contains elements, so that an empty `raw_data` is the list of a tensor without elements.
fn raw_is_stated(proto: &TensorProto) -> bool {
    let lists = [
        proto.float_data.len(),
        proto.int32_data.len(),
        proto.int64_data.len(),
        proto.double_data.len(),
        proto.uint64_data.len(),
    ];
    lists.iter().all(|&length| length == 0)
}

fn saturated(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Returns a tensor of the elements in `raw`, as many as `shape` has.
fn from_bytes(data_type: DataType, shape: Vec<usize>, raw: &[u8]) -> Tensor {
    let floats = |elements: Vec<f32>| Tensor::floats(shape.clone(), elements);
    let integers = |elements: Vec<i64>| Tensor::integers(shape.clone(), elements);
    match data_type {
        DataType::Float => floats(numbers(raw, f32::from_le_bytes)),
        DataType::Double => floats(numbers(raw, |bytes| f64::from_le_bytes(bytes) as f32)),
        DataType::Float16 => floats(numbers(raw, |bytes| f16::from_le_bytes(bytes).to_f32())),
        DataType::Bfloat16 => floats(numbers(raw, |bytes| bf16::from_le_bytes(bytes).to_f32())),
        DataType::Int64 => integers(numbers(raw, i64::from_le_bytes)),
        DataType::Uint64 => integers(numbers(raw, |bytes| saturated(u64::from_le_bytes(bytes)))),
        DataType::Int32 => integers(numbers(raw, |bytes| i32::from_le_bytes(bytes).into())),
        DataType::Uint32 => integers(numbers(raw, |bytes| u32::from_le_bytes(bytes).into())),
        DataType::Int16 => integers(numbers(raw, |bytes| i16::from_le_bytes(bytes).into())),
        DataType::Uint16 => integers(numbers(raw, |bytes| u16::from_le_bytes(bytes).into())),
        DataType::Int8 => integers(numbers(raw, |bytes| i8::from_le_bytes(bytes).into())),
        DataType::Bool => integers(numbers(raw, |[byte]| i64::from(byte != 0))),
        DataType::Uint8 | DataType::Undefined | DataType::String => {
            integers(numbers(raw, |[byte]| byte.into()))
        }
    }
}

/// Returns the elements of `N` bytes each.
fn numbers<T, const N: usize>(raw: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (elements, _) = raw.as_chunks::<N>();
    elements.iter().map(|&bytes| number(bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proto(data_type: DataType, dims: &[i64]) -> TensorProto {
        TensorProto {
            dims: dims.to_vec(),
            data_type: data_type.into(),
            ..TensorProto::default()
        }
    }

    #[test]
    fn lists_and_bytes_are_the_same_elements() {
        let lists = [
            TensorProto {
                float_data: vec![1.5, -2.0],
                ..proto(DataType::Float, &[2])
            },
            TensorProto {
                double_data: vec![1.5, -2.0],
                ..proto(DataType::Double, &[2])
            },
            TensorProto {
                int32_data: vec![0x3e00, 0xc000],
                ..proto(DataType::Float16, &[2])
            },
            TensorProto {
                int32_data: vec![0x3fc0, 0xc000],
                ..proto(DataType::Bfloat16, &[2])
            },
            TensorProto {
                raw_data: vec![0x00, 0x3e, 0x00, 0xc0].into(),
                ..proto(DataType::Float16, &[2])
            },
            TensorProto {
                raw_data: [1.5f64, -2.0]
                    .into_iter()
                    .flat_map(f64::to_le_bytes)
                    .collect(),
                ..proto(DataType::Double, &[2])
            },
        ];
        for list in lists {
            assert_eq!(
                decode(&list, None),
                Ok(Tensor::floats(vec![2], vec![1.5, -2.0]))
            );
        }
        let integers = [
            TensorProto {
                int64_data: vec![-1, 7],
                ..proto(DataType::Int64, &[2])
            },
            TensorProto {
                int32_data: vec![-1, 7],
                ..proto(DataType::Int8, &[2])
            },
            TensorProto {
                raw_data: vec![0xff, 7].into(),
                ..proto(DataType::Int8, &[2])
            },
            TensorProto {
                raw_data: vec![0xff, 0xff, 0xff, 0xff, 7, 0, 0, 0].into(),
                ..proto(DataType::Int32, &[2])
            },
        ];
        for list in integers {
            assert_eq!(decode(&list, None), Ok(Tensor::list(vec![-1, 7])));
        }
    }

    #[test]
    fn stated_shapes_are_not_trusted() {
        let messages = [
            proto(DataType::Float, &[1 << 20, 1 << 15]),
            proto(DataType::Float, &[i64::MAX, 4]),
            proto(DataType::Float, &[-1]),
            TensorProto {
                float_data: vec![1.0],
                ..proto(DataType::Float, &[2])
            },
            proto(DataType::String, &[0]),
            proto(DataType::Undefined, &[]),
        ]
        .map(|proto| decode(&proto, None).expect_err("damaged").to_string());
        assert_eq!(
            messages[0],
            "0 bytes for 34359738368 elements, expected 137438953472"
        );
        assert_eq!(
            messages[1],
            "shape [9223372036854775807, 4], expected lengths of 0 or more and less than 2^40 elements"
        );
        assert!(messages[2].starts_with("shape [-1]"));
        assert_eq!(messages[3], "1 numbers for 2 elements, expected 2");
        assert_eq!(
            messages[4],
            "elements of type String, expected floats, integers or truth values"
        );
        assert!(messages[5].starts_with("elements of type Undefined"));
    }

    #[test]
    fn a_tensor_without_elements_needs_no_data() {
        let empty = proto(DataType::Float, &[0]);
        assert_eq!(
            decode(&empty, None),
            Ok(Tensor::floats(vec![0], Vec::new()))
        );
    }
}
