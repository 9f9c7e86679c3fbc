//! Attributes of operators.

use super::tensors;
use crate::proto::{AttributeProto, AttributeType, TensorProto};

/// Returns an attribute with a whole number.
pub fn integer(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        i: value,
        r#type: AttributeType::Int.into(),
        ..AttributeProto::default()
    }
}

/// Returns an attribute with whole numbers.
pub fn integers(name: &str, values: &[usize]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        ints: tensors::dims(values),
        r#type: AttributeType::Ints.into(),
        ..AttributeProto::default()
    }
}

/// Returns an attribute with a number.
pub fn float(name: &str, value: f64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        f: value as f32,
        r#type: AttributeType::Float.into(),
        ..AttributeProto::default()
    }
}

/// Returns an attribute with a text.
pub fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        s: value.as_bytes().to_vec().into(),
        r#type: AttributeType::String.into(),
        ..AttributeProto::default()
    }
}

/// Returns an attribute with a tensor.
pub fn tensor(name: &str, value: TensorProto) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        t: Some(Box::new(value)),
        r#type: AttributeType::Tensor.into(),
        ..AttributeProto::default()
    }
}
