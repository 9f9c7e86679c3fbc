//! The input of a network.

use super::error::ReadError;
use super::initializers::Initializers;
use super::options::ReadOptions;
use super::shape;
use crate::proto::{DataType, DimensionValue, GraphProto, ValueInfoProto};

/// The input of a network.
pub struct Input<'a> {
    /// Name.
    pub name: &'a str,
    /// Shape, with the number of images of the options.
    pub shape: Vec<usize>,
    /// Whether the elements are whole numbers.
    pub is_integer: bool,
    /// Whether the file leaves the number of images open.
    pub any_batch: bool,
}

/// Returns the only input of `graph` that has no elements in the file.
///
/// # Errors
///
/// [`ReadError`] if there are several, or the file and the options do not state its shape.
pub fn input<'a>(
    graph: &'a GraphProto,
    initializers: &Initializers<'_>,
    options: &ReadOptions,
) -> Result<Input<'a>, ReadError> {
    let inputs = graph.input.iter();
    let inputs: Vec<_> = inputs
        .filter(|input| !initializers.contains(&input.name))
        .collect();
    let [info] = inputs[..] else {
        return Err(ReadError::Inputs {
            names: inputs.iter().map(|input| input.name.clone()).collect(),
        });
    };
    let is_integer = is_integer(info)?;
    let (shape, any_batch) = lengths(info, options)?;
    if shape.is_empty() || shape::elements(&shape).is_err() || shape.contains(&0) {
        return Err(ReadError::InputSize {
            input: info.name.clone(),
            shape,
        });
    }
    Ok(Input {
        name: &info.name,
        shape,
        is_integer,
        any_batch,
    })
}

fn is_integer(info: &ValueInfoProto) -> Result<bool, ReadError> {
    let fault = |found: &str| ReadError::InputType {
        input: info.name.clone(),
        found: found.to_owned(),
    };
    let r#type = info.r#type.as_ref().ok_or_else(|| fault("no type"))?;
    let tensor = r#type
        .tensor_type
        .as_ref()
        .ok_or_else(|| fault("no tensor type"))?;
    match DataType::try_from(tensor.elem_type) {
        Ok(DataType::Undefined) | Err(_) => Err(fault("elements of an unknown type")),
        Ok(DataType::String) => Err(fault("elements of type String")),
        Ok(DataType::Float | DataType::Double | DataType::Float16 | DataType::Bfloat16) => {
            Ok(false)
        }
        Ok(_) => Ok(true),
    }
}

/// Returns the shape, and whether the file leaves the length of the first axis open.
fn lengths(info: &ValueInfoProto, options: &ReadOptions) -> Result<(Vec<usize>, bool), ReadError> {
    let r#type = info
        .r#type
        .as_ref()
        .and_then(|r#type| r#type.tensor_type.as_ref());
    let Some(stated) = r#type.and_then(|r#type| r#type.shape.as_ref()) else {
        return Err(ReadError::InputType {
            input: info.name.clone(),
            found: "no shape".to_owned(),
        });
    };
    let known: Vec<Option<usize>> = stated
        .dim
        .iter()
        .map(|dimension| match &dimension.value {
            // Some programs write 0 or -1 for any length.
            Some(DimensionValue::DimValue(length)) => {
                usize::try_from(*length).ok().filter(|&length| length > 0)
            }
            _ => None,
        })
        .collect();
    // Height and width: the last two axes, or those before the channels of pixels.
    let sizes = match known[..] {
        [_, None, None, Some(1..=4)] => [1, 2],
        _ => [2, 3],
    };
    let mut shape = Vec::with_capacity(known.len());
    for (axis, &length) in known.iter().enumerate() {
        let requested = match axis {
            0 => options.batch,
            _ if known.len() == 4 => {
                let side = sizes.iter().position(|&size| size == axis);
                side.and_then(|side| options.size.map(|size| size[side]))
            }
            _ => None,
        };
        shape.push(match (length, requested) {
            (Some(found), Some(requested)) if found != requested => {
                return Err(ReadError::Fixed {
                    what: match axis {
                        0 => "the batch size",
                        _ if axis == sizes[0] => "the input height",
                        _ => "the input width",
                    },
                    found: found.to_string(),
                    requested: requested.to_string(),
                });
            }
            (Some(found), _) => found,
            (None, Some(requested)) => requested,
            (None, None) if axis == 0 => 1,
            (None, None) => {
                let name = match &stated.dim[axis].value {
                    Some(DimensionValue::DimParam(name)) => name.clone(),
                    _ => String::new(),
                };
                let is_size = known.len() == 4 && sizes.contains(&axis);
                return Err(ReadError::DynamicAxis {
                    input: info.name.clone(),
                    axis,
                    name,
                    hint: match is_size {
                        true => "state the height and width of the input",
                        false => "only the batch size, height and width can be open",
                    },
                });
            }
        });
    }
    Ok((shape, known.first().is_some_and(Option::is_none)))
}
