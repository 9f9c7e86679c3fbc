//! The graph under construction.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use burn::tensor::{DType, TensorData};
use receptive_layers::graph::{Graph, GraphBuilder, Op, ParameterKind, ValueData, ValueId};

use super::fault::{Result, invalid, unsupported};
use super::initializers::Initializers;
use super::operand::Constant;
use super::shape;
use super::tensor::{Elements, Tensor};
use crate::names::Names;

/// Elements of the largest computed constant that is larger than what it is computed from.
const MAX_GROWN: usize = 16 << 20;

/// Elements of all computed constants, beside four times those of the file's constants.
const MAX_FOLDED: usize = 64 << 20;

/// Elements of all constants of one number, which compilers may write out.
const MAX_FILLED: usize = 256 << 20;

/// What tells elements apart: their address, or the bits of the number that they equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Address {
    Elements(usize),
    Fill(u32),
}

impl Address {
    fn new(tensor: &Tensor) -> Self {
        match &tensor.elements {
            Elements::Floats(elements) => Self::Elements(Rc::as_ptr(elements).addr()),
            Elements::Integers(elements) => Self::Elements(Rc::as_ptr(elements).addr()),
            Elements::Fill(number) => Self::Fill(number.to_bits()),
        }
    }
}

/// The graph under construction.
pub struct State<'a> {
    /// Nodes and values.
    pub builder: GraphBuilder,
    /// The file's constants.
    pub initializers: &'a Initializers<'a>,
    names: Names,
    /// The values of constants, by their elements and shape.
    constants: HashMap<(Address, Vec<usize>), ValueId>,
    /// Elements of each parameter.
    parameters: HashMap<String, Tensor>,
    /// Elements of each constant and parameter. Their addresses are keys of `constants`.
    elements: HashMap<ValueId, Tensor>,
    folded: usize,
    filled: usize,
    /// Nodes that have their names.
    named: usize,
}

impl<'a> State<'a> {
    /// A graph with an input of shape `input`.
    pub fn new(input: Vec<usize>, initializers: &'a Initializers<'a>) -> Self {
        Self {
            builder: GraphBuilder::new(input),
            initializers,
            names: Names::default(),
            constants: HashMap::new(),
            parameters: HashMap::new(),
            elements: HashMap::new(),
            folded: 0,
            filled: 0,
            named: 0,
        }
    }

    /// Returns the shape of a value.
    pub fn shape(&self, id: ValueId) -> &[usize] {
        self.builder.graph().shape(id)
    }

    /// Adds a node and returns its output, of shape `shape`.
    ///
    /// # Errors
    ///
    /// The output has no elements, or too many.
    pub fn node(&mut self, op: Op, inputs: Vec<ValueId>, shape: Vec<usize>) -> Result<ValueId> {
        if shape::elements(&shape)? == 0 {
            return unsupported(format!(
                "a result of shape {shape:?}, which has no elements"
            ));
        }
        Ok(self.builder.node("", op, inputs, shape))
    }

    /// Gives the nodes that were added since the last call names. The last node is called `name`.
    pub fn name_nodes(&mut self, name: &str) {
        let nodes = self.builder.graph().nodes.len();
        for index in self.named..nodes {
            let name = match index + 1 == nodes {
                true => self.names.unique(name),
                false => {
                    let word = self.builder.graph().nodes[index].op.word();
                    self.names.unique(&format!("{name}.{word}"))
                }
            };
            self.builder.rename(index, name);
        }
        self.named = nodes;
    }

    /// Counts the elements of a constant that is computed from constants of `sources` elements.
    ///
    /// # Errors
    ///
    /// The elements are too many.
    pub fn fold(&mut self, elements: usize, sources: usize) -> Result<()> {
        if elements > sources && elements > MAX_GROWN {
            return invalid(format!(
                "a constant of {elements} elements, expected at most {MAX_GROWN}"
            ));
        }
        let limit = MAX_FOLDED.saturating_add(self.initializers.elements().saturating_mul(4));
        self.folded = self.folded.saturating_add(elements);
        match self.folded <= limit {
            true => Ok(()),
            false => invalid("the computed constants of the file are too large"),
        }
    }

    /// Returns the value of a constant: a parameter if it has a name and is numbers.
    ///
    /// # Errors
    ///
    /// The constant has no elements.
    pub fn constant(&mut self, constant: &Constant, kind: ParameterKind) -> Result<ValueId> {
        let tensor = &constant.tensor;
        if tensor.len() == 0 {
            return unsupported("a constant without elements");
        }
        let address = Address::new(tensor);
        let key = (address, tensor.shape.clone());
        if let Some(&id) = self.constants.get(&key) {
            return Ok(id);
        }
        // A name stands for the same elements, in any shape.
        let is_own = |name: &str| match self.parameters.get(name) {
            Some(other) => Address::new(other) == address,
            None => true,
        };
        let name = constant.name.as_deref();
        let name = name.filter(|&name| !tensor.is_integer() && is_own(name));
        let shape = tensor.shape.clone();
        let id = match name {
            Some(name) => {
                self.parameters.insert(name.to_owned(), tensor.clone());
                self.builder.parameter(name, kind, shape)
            }
            None => {
                self.count(tensor)?;
                let dtype = if tensor.is_integer() {
                    DType::I64
                } else {
                    DType::F32
                };
                let id = self.builder.constant(shape, dtype);
                self.builder.set_data(id, data(tensor));
                id
            }
        };
        self.constants.insert(key, id);
        self.elements.insert(id, tensor.clone());
        Ok(id)
    }

    /// Counts the elements of a constant of the graph.
    ///
    /// # Errors
    ///
    /// The elements are too many.
    fn count(&mut self, tensor: &Tensor) -> Result<()> {
        if !matches!(tensor.elements, Elements::Fill(_)) {
            // They are copied for each shape.
            return self.fold(tensor.len(), tensor.len());
        }
        self.filled = self.filled.saturating_add(tensor.len());
        match self.filled <= MAX_FILLED {
            true => Ok(()),
            false => invalid(format!(
                "constants of one number with {} elements, expected at most {MAX_FILLED}",
                self.filled
            )),
        }
    }

    /// Returns the elements of a constant or parameter.
    pub fn elements(&self, id: ValueId) -> Option<&Tensor> {
        self.elements.get(&id)
    }

    /// Returns the graph with the outputs `outputs`, and the elements of the parameters.
    pub fn finish(self, outputs: Vec<(String, ValueId)>) -> (Graph, HashMap<String, Tensor>) {
        (self.builder.finish(outputs), self.parameters)
    }
}

/// Returns the elements of a constant; those of one number as this number.
fn data(tensor: &Tensor) -> ValueData {
    match &tensor.elements {
        Elements::Floats(elements) => {
            let first = elements[0];
            match elements.iter().all(|x| x.to_bits() == first.to_bits()) {
                true => ValueData::Fill(first.into()),
                false => {
                    let elements = elements.as_ref().clone();
                    ValueData::Elements(TensorData::new(elements, tensor.shape.clone()))
                }
            }
        }
        Elements::Fill(number) => ValueData::Fill(f64::from(*number)),
        Elements::Integers(elements) => {
            let elements = elements.as_ref().clone();
            ValueData::Elements(TensorData::new(elements, tensor.shape.clone()))
        }
    }
}

/// Gives the parameters of `graph` their elements.
pub fn set_parameters(graph: &mut Graph, mut parameters: HashMap<String, Tensor>) {
    let mut values: HashMap<String, Vec<usize>> = HashMap::new();
    let mut seen = HashSet::new();
    for (index, value) in graph.values.iter().enumerate() {
        if let Some((name, _)) = value.parameter() {
            seen.insert(name);
            values.entry(name.to_owned()).or_default().push(index);
        }
    }
    for (name, indices) in values {
        let Some(tensor) = parameters.remove(&name) else {
            continue;
        };
        let Elements::Floats(elements) = tensor.elements else {
            continue;
        };
        let mut elements = Some(elements);
        for (position, &index) in indices.iter().enumerate() {
            let shared = match position + 1 == indices.len() {
                true => elements.take(),
                false => elements.clone(),
            };
            let elements = shared.map(|elements| {
                Rc::try_unwrap(elements).unwrap_or_else(|elements| elements.as_ref().clone())
            });
            let value = &mut graph.values[index];
            value.data = elements.map(|elements| {
                ValueData::Elements(TensorData::new(elements, value.shape.clone()))
            });
        }
    }
}
