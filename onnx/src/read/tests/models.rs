//! Small files.

use prost::Message;
use receptive_layers::graph::{Graph, Op};

use super::interpreter::{self, Array};
use crate::proto::{
    AttributeProto, AttributeType, DataType, Dimension, DimensionValue, GraphProto, ModelProto,
    NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto,
    ValueInfoProto,
};
use crate::{Model, ReadError, ReadOptions, read_bytes};

/// A whole number as an attribute.
pub fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto {
        i,
        ..attribute(name, AttributeType::Int)
    }
}

/// Whole numbers as an attribute.
pub fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto {
        ints: ints.to_vec(),
        ..attribute(name, AttributeType::Ints)
    }
}

/// A number as an attribute.
pub fn float(name: &str, f: f32) -> AttributeProto {
    AttributeProto {
        f,
        ..attribute(name, AttributeType::Float)
    }
}

/// Numbers as an attribute.
pub fn floats(name: &str, floats: &[f32]) -> AttributeProto {
    AttributeProto {
        floats: floats.to_vec(),
        ..attribute(name, AttributeType::Floats)
    }
}

/// A text as an attribute.
pub fn text(name: &str, text: &str) -> AttributeProto {
    AttributeProto {
        s: text.to_owned().into(),
        ..attribute(name, AttributeType::String)
    }
}

/// A tensor as an attribute.
pub fn tensor(name: &str, tensor: TensorProto) -> AttributeProto {
    AttributeProto {
        t: Some(Box::new(tensor)),
        ..attribute(name, AttributeType::Tensor)
    }
}

fn attribute(name: &str, r#type: AttributeType) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: r#type.into(),
        ..AttributeProto::default()
    }
}

/// A constant of numbers.
pub fn numbers(name: &str, dims: &[i64], elements: &[f32]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: dims.to_vec(),
        data_type: DataType::Float.into(),
        float_data: elements.to_vec(),
        ..TensorProto::default()
    }
}

/// A list of whole numbers.
pub fn list(name: &str, elements: &[i64]) -> TensorProto {
    TensorProto {
        dims: vec![elements.len() as i64],
        ..integers(name, elements)
    }
}

/// A whole number without axes.
pub fn integer(name: &str, element: i64) -> TensorProto {
    integers(name, &[element])
}

fn integers(name: &str, elements: &[i64]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        data_type: DataType::Int64.into(),
        int64_data: elements.to_vec(),
        ..TensorProto::default()
    }
}

/// An operator.
pub fn node(
    operator: &str,
    inputs: &[&str],
    outputs: &[&str],
    attributes: &[AttributeProto],
) -> NodeProto {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    NodeProto {
        op_type: operator.to_owned(),
        input: names(inputs),
        output: names(outputs),
        attribute: attributes.to_vec(),
        ..NodeProto::default()
    }
}

/// Name and type of a tensor of numbers. A length of 0 or less is open.
pub fn info(name: &str, shape: &[i64]) -> ValueInfoProto {
    let dimension = |&length: &i64| Dimension {
        value: Some(match length {
            1.. => DimensionValue::DimValue(length),
            _ => DimensionValue::DimParam(format!("n{}", -length)),
        }),
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            tensor_type: Some(TensorTypeProto {
                elem_type: DataType::Float.into(),
                shape: Some(TensorShapeProto {
                    dim: shape.iter().map(dimension).collect(),
                }),
            }),
        }),
    }
}

/// A file with the input `x` and the output `y`.
pub fn file(
    opset: i64,
    input: &[i64],
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
) -> ModelProto {
    ModelProto {
        ir_version: 8,
        graph: Some(GraphProto {
            node: nodes,
            initializer: constants,
            input: vec![info("x", input)],
            output: vec![info("y", &[])],
            ..GraphProto::default()
        }),
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: opset,
        }],
        ..ModelProto::default()
    }
}

/// Reads a file with default options.
pub fn read(file: &ModelProto) -> Result<Model, ReadError> {
    read_bytes(&file.encode_to_vec(), &ReadOptions::default())
}

/// Reads a file of one operator on `x`, with other operands as constants.
pub fn one(
    opset: i64,
    operator: &str,
    input: &[i64],
    constants: &[TensorProto],
    attributes: &[AttributeProto],
) -> Result<Model, ReadError> {
    let names = constants.iter().map(|tensor| tensor.name.as_str());
    let inputs: Vec<&str> = std::iter::once("x").chain(names).collect();
    let used = constants.iter().filter(|tensor| !tensor.name.is_empty());
    let nodes = vec![node(operator, &inputs, &["y"], attributes)];
    read(&file(opset, input, nodes, used.cloned().collect()))
}

/// The operations of a graph.
pub fn ops(graph: &Graph) -> Vec<Op> {
    graph.nodes.iter().map(|node| node.op.clone()).collect()
}

/// Returns the output of a network for the input 1, 2, 3, ….
pub fn run(model: Result<Model, ReadError>) -> Array {
    let graph = model.expect("a network").graph;
    let count = graph.shape(graph.input).iter().product::<usize>();
    let input: Vec<f64> = (1..=count).map(|i| i as f64).collect();
    interpreter::run(&graph, &input).remove(0)
}

/// Returns an array with rounded elements.
pub fn rounded(array: Array) -> Array {
    let values = array.values.iter().map(|x| (x * 1e4).round() / 1e4);
    Array::new(&array.shape, values.collect())
}

/// The message of an error.
pub fn message(model: Result<Model, ReadError>) -> String {
    model.expect_err("an error").to_string()
}
