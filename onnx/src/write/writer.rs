//! State of the writer: the names of the values, the operators and the constants.

use std::collections::{HashMap, HashSet};

use receptive_layers::graph::{Graph, Origin, ValueId};

use super::attributes::{integer, integers};
use super::error::WriteError;
use super::options::{BatchSize, InputFormat, WriteOptions};
use super::tensors;
use crate::names::Names;
use crate::proto::{
    AttributeProto, DataType, Dimension, DimensionValue, NodeProto, TensorProto, TensorShapeProto,
    TensorTypeProto, TypeProto, ValueInfoProto,
};

/// Name of the input.
const INPUT: &str = "input";

/// Name of the batch axis.
const BATCH: &str = "batch";

/// The operators and constants that are written so far, and the names of all values.
pub struct Writer<'a> {
    /// The graph.
    pub graph: &'a Graph,
    options: &'a WriteOptions,
    /// The operators.
    pub nodes: Vec<NodeProto>,
    /// The constants.
    pub initializers: Vec<TensorProto>,
    names: Names,
    /// Values that depend on the input.
    dependent: HashSet<ValueId>,
    /// Name of each value that is written; of a constant also that of its transposed matrix.
    values: HashMap<(ValueId, bool), String>,
}

impl<'a> Writer<'a> {
    /// Chooses the names of the inputs and outputs.
    pub fn new(graph: &'a Graph, options: &'a WriteOptions) -> Self {
        let mut writer = Self {
            graph,
            options,
            nodes: Vec::new(),
            initializers: Vec::new(),
            names: Names::default(),
            dependent: HashSet::from([graph.input]),
            values: HashMap::new(),
        };
        for node in &graph.nodes {
            if node.inputs.iter().any(|id| writer.dependent.contains(id)) {
                writer.dependent.extend(&node.outputs);
            }
        }
        // Names of inputs and outputs come first: users refer to them.
        writer.names.unique(INPUT);
        for (id, name) in graph.outputs.iter().zip(graph.all_output_names()) {
            let name = writer.names.unique(&name);
            // A value that is returned twice, or the input, is copied at the end.
            if graph.value(*id).origin == Origin::Computed {
                writer.values.entry((*id, false)).or_insert(name);
            }
        }
        writer
    }

    /// Version of the operators.
    pub fn opset(&self) -> i64 {
        self.options.opset
    }

    /// Whether the first axis of a value is the images of a batch of any size.
    pub fn has_open_batch(&self, id: ValueId) -> bool {
        // In a graph of any batch size, this holds for every value that depends on the input.
        self.options.batch == BatchSize::Dynamic && self.dependent.contains(&id)
    }

    /// Returns the name of `value`, and writes a constant when it is first read. `reader` is the name of the node.
    ///
    /// # Errors
    ///
    /// [`WriteError::NoElements`] for a constant without elements.
    pub fn read(&mut self, id: ValueId, reader: &str) -> Result<String, WriteError> {
        self.constant(id, reader, false)
    }

    /// Returns the name of the transposed matrix `value`, as [`read`](Self::read) does.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_transposed(&mut self, id: ValueId, reader: &str) -> Result<String, WriteError> {
        self.constant(id, reader, true)
    }

    fn constant(
        &mut self,
        id: ValueId,
        reader: &str,
        transposed: bool,
    ) -> Result<String, WriteError> {
        if let Some(name) = self.values.get(&(id, transposed)) {
            return Ok(name.clone());
        }
        let value = self.graph.value(id);
        let name = match &value.origin {
            Origin::Parameter { name, .. } => name.clone(),
            _ => format!("{reader}.constant"),
        };
        let name = self.names.unique(&name);
        let tensor = tensors::tensor(value, &name, transposed);
        let tensor = tensor.ok_or_else(|| WriteError::NoElements {
            value: name.clone(),
        })?;
        self.initializers.push(tensor);
        self.values.insert((id, transposed), name.clone());
        Ok(name)
    }

    /// Returns the name of the value that a node writes.
    pub fn written(&mut self, id: ValueId, node: &str) -> String {
        if let Some(name) = self.values.get(&(id, false)) {
            return name.clone();
        }
        let name = self.names.unique(node);
        self.values.insert((id, false), name.clone());
        name
    }

    /// Returns a new name of a value between the operators of one node.
    pub fn intermediate(&mut self, node: &str, word: &str) -> String {
        self.names.unique(&format!("{node}.{word}"))
    }

    /// Writes a list of integers and returns its name.
    pub fn integers(&mut self, node: &str, word: &str, elements: &[i64]) -> String {
        let name = self.intermediate(node, word);
        self.initializers
            .push(tensors::integers(&name, &[elements.len()], elements));
        name
    }

    /// Writes a float32 tensor and returns its name.
    pub fn floats(&mut self, node: &str, word: &str, shape: &[usize], elements: &[f32]) -> String {
        let name = self.intermediate(node, word);
        self.initializers
            .push(tensors::floats(&name, shape, elements));
        name
    }

    /// Writes an operator.
    pub fn operator(
        &mut self,
        name: &str,
        operator: &str,
        inputs: Vec<String>,
        output: String,
        attributes: Vec<AttributeProto>,
    ) {
        self.nodes.push(NodeProto {
            input: inputs,
            output: vec![output],
            name: name.to_owned(),
            op_type: operator.to_owned(),
            attribute: attributes,
            ..NodeProto::default()
        });
    }

    /// Writes an operator whose result is between the operators of the node `node`, and returns the name of the result.
    pub fn step(
        &mut self,
        node: &str,
        word: &str,
        operator: &str,
        inputs: Vec<String>,
        attributes: Vec<AttributeProto>,
    ) -> String {
        let name = self.intermediate(node, word);
        self.operator(&name, operator, inputs, name.clone(), attributes);
        name
    }

    /// Writes the input, and the operators that normalize pixels.
    ///
    /// # Errors
    ///
    /// [`WriteError::NoImage`] if the input cannot be pixels.
    pub fn input(&mut self) -> Result<ValueInfoProto, WriteError> {
        let id = self.graph.input;
        let shape = self.graph.shape(id).to_vec();
        let open = self.options.batch == BatchSize::Dynamic;
        let InputFormat::Pixels(preprocessing) = self.options.input else {
            self.values.insert((id, false), INPUT.to_owned());
            return Ok(value_info(INPUT, DataType::Float, &shape, open));
        };
        let [batch, channels @ (1 | 3), height, width] = shape[..] else {
            return Err(WriteError::NoImage { found: shape });
        };
        let node = "preprocessing";
        let to = vec![integer("to", DataType::Float as i64)];
        let float = self.step(node, "float", "Cast", vec![INPUT.to_owned()], to);
        // (pixel / 255 - mean) / std, as the preprocessing computes it.
        let full_scale = self.floats(node, "scale", &[], &[255.0]);
        let unit = self.step(node, "unit", "Div", vec![float, full_scale], Vec::new());
        let mean = self.floats(node, "mean", &[channels], &preprocessing.mean[..channels]);
        let centred = self.step(node, "centred", "Sub", vec![unit, mean], Vec::new());
        let std = self.floats(node, "std", &[channels], &preprocessing.std[..channels]);
        let normal = self.step(node, "normalized", "Div", vec![centred, std], Vec::new());
        let planes = self.names.unique(node);
        let axes = integers("perm", &[0, 3, 1, 2]);
        self.operator(node, "Transpose", vec![normal], planes.clone(), vec![axes]);
        self.values.insert((id, false), planes);
        let shape = [batch, height, width, channels];
        Ok(value_info(INPUT, DataType::Uint8, &shape, open))
    }

    /// Writes the copies of values that are returned twice or are the input or constants, and returns the outputs.
    ///
    /// # Errors
    ///
    /// [`WriteError::NoElements`] for a constant without elements.
    pub fn outputs(&mut self) -> Result<Vec<ValueInfoProto>, WriteError> {
        let mut names = Names::default();
        names.unique(INPUT);
        let mut outputs = Vec::new();
        for (id, name) in self.graph.outputs.iter().zip(self.graph.all_output_names()) {
            let name = names.unique(&name);
            let source = self.read(*id, &name)?;
            if source != name {
                self.operator(&name, "Identity", vec![source], name.clone(), Vec::new());
            }
            let value = self.graph.value(*id);
            let open = self.has_open_batch(*id);
            outputs.push(value_info(&name, DataType::Float, &value.shape, open));
        }
        Ok(outputs)
    }
}

/// Returns the type of an input or output, with any number of images if `open`.
fn value_info(name: &str, element: DataType, shape: &[usize], open: bool) -> ValueInfoProto {
    let dimension = |(axis, &length): (usize, &usize)| Dimension {
        value: Some(match axis == 0 && open {
            true => DimensionValue::DimParam(BATCH.to_owned()),
            false => DimensionValue::DimValue(length as i64),
        }),
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            tensor_type: Some(TensorTypeProto {
                elem_type: element.into(),
                shape: Some(TensorShapeProto {
                    dim: shape.iter().enumerate().map(dimension).collect(),
                }),
            }),
        }),
    }
}
