//! A network as a graph, read from what its `forward` does.
//!
//! A network is written once, as a Burn module. [`Graph::record`] lets it run on a device that
//! writes operations down instead of computing them; what comes back is a list of [`Node`]s with
//! static shapes, parameters under their module paths, and the weights' values.
//! [`Graph::trace`] does the same without the values, for the [`summary`](crate::summary): the
//! parameters are never drawn nor allocated.
//!
//! Recording needs nothing of the module but its `forward`, so it works on any Burn module. What
//! Burn records in several operations and the field calls one layer is one node here
//! ([`Op::Linear`], [`Op::AdaptiveAvgPool2d`]); what changes nothing is left out, and so is what
//! no output depends on.

mod names;
mod op;
mod parameters;
mod record;
mod simplify;
mod translate;
mod windows;

use burn::tensor::{DType, TensorData};

pub use op::{Arithmetic, Conv2d, Op, Stride, Window};
pub use record::{GraphError, OutputList, Outputs};

/// A network's inference, operation by operation.
#[derive(Debug, Clone)]
pub struct Graph {
    /// What the network is given.
    pub input: ValueId,
    /// What it returns, in order.
    pub outputs: Vec<ValueId>,
    /// Its operations, each after those whose outputs it reads.
    pub nodes: Vec<Node>,
    /// Everything that nodes read and write.
    pub values: Vec<Value>,
}

/// An operation of a [`Graph`].
#[derive(Debug, Clone)]
pub struct Node {
    /// Unique in the graph: the module path that its parameters share, such as `layer1.0.conv1`,
    /// or what it does where it does it, such as `layer1.0.add`.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// What it reads, in the order that [`Op`] gives.
    pub inputs: Vec<ValueId>,
    /// What it writes; more than one only of [`Op::Other`].
    pub outputs: Vec<ValueId>,
}

/// The place of a [`Value`] in [`Graph::values`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(usize);

impl ValueId {
    /// The place in [`Graph::values`].
    pub(crate) fn index(self) -> usize {
        self.0
    }
}

/// A tensor of a [`Graph`].
#[derive(Debug, Clone)]
pub struct Value {
    /// Its shape.
    pub shape: Vec<usize>,
    /// The type of its elements.
    pub dtype: DType,
    /// Where it comes from.
    pub origin: Origin,
    /// Its elements, of a parameter or constant where they are known.
    pub data: Option<Data>,
}

/// Where a [`Value`] comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The network's input.
    Input,
    /// The module has it.
    Parameter {
        /// Its module path, without enum variants and in PyTorch's words: `bn1.running_mean`, and
        /// `weight` and `bias` of a norm.
        name: String,
        /// Whether training changes it by its gradient.
        role: Role,
    },
    /// The same whatever the input is, and no parameter.
    Constant,
    /// A node writes it.
    Computed,
}

/// Whether training changes a parameter by its gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It does; a frozen parameter counts here too.
    Trainable,
    /// It does not: running statistics, and the centres of radial basis functions.
    Fixed,
}

/// The elements of a [`Value`].
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Each.
    Elements(TensorData),
    /// All the same.
    Fill(f64),
}

impl Graph {
    /// The value at `id`.
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.0]
    }

    /// The same graph without its values' elements.
    pub(crate) fn without_data(&self) -> Self {
        Self {
            input: self.input,
            outputs: self.outputs.clone(),
            nodes: self.nodes.clone(),
            values: (self.values.iter())
                .map(|value| Value {
                    shape: value.shape.clone(),
                    dtype: value.dtype,
                    origin: value.origin.clone(),
                    data: None,
                })
                .collect(),
        }
    }

    pub(crate) fn value_mut(&mut self, id: ValueId) -> &mut Value {
        &mut self.values[id.0]
    }

    /// The shape of the value at `id`.
    pub fn shape(&self, id: ValueId) -> &[usize] {
        &self.value(id).shape
    }

    /// The values and their ids.
    pub fn ids(&self) -> impl Iterator<Item = (ValueId, &Value)> {
        self.values
            .iter()
            .enumerate()
            .map(|(index, value)| (ValueId(index), value))
    }

    /// This graph with every parameter's name mapped by `name`, as by
    /// [`Network::reference_name`](crate::network::Network::reference_name), and the nodes named
    /// anew.
    #[must_use]
    pub fn renamed(mut self, name: impl Fn(&str) -> String) -> Self {
        for value in &mut self.values {
            if let Origin::Parameter { name: path, .. } = &mut value.origin {
                *path = name(path);
            }
        }
        names::name_nodes(&mut self);
        self
    }
}

impl Value {
    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its name and role, of a parameter.
    pub fn parameter(&self) -> Option<(&str, Role)> {
        match &self.origin {
            Origin::Parameter { name, role } => Some((name, *role)),
            _ => None,
        }
    }
}
