//! The graph: nodes over values.

use super::op::Op;
use super::value::{Value, ValueId};

/// The operations of a network's inference, over tensors of static shapes.
#[derive(Debug, Clone)]
pub struct Graph {
    /// The network's input.
    pub input: ValueId,
    /// The network's outputs, in the order in which `forward` returns them.
    pub outputs: Vec<ValueId>,
    /// The names of the outputs, such as `logits`. An output beyond the last name is called
    /// `output` and its index.
    pub output_names: Vec<String>,
    /// Whether the graph is that of every batch size: with one more image, `forward` computes the
    /// same operations, and every tensor that depends on the input has one more image. `false` for
    /// a `forward` that combines images, or that accepts only the recorded batch size.
    pub any_batch: bool,
    /// The operations in topological order: each follows the nodes whose outputs it reads.
    pub nodes: Vec<Node>,
    /// Every tensor that the nodes read and write, indexed by [`ValueId`].
    pub values: Vec<Value>,
}

/// An operation of a [`Graph`].
#[derive(Debug, Clone)]
pub struct Node {
    /// Name, unique in the graph: the module path that the node's parameters share, such as
    /// `layer1.0.conv1`, or the enclosing module and the operation, such as `layer1.0.add`.
    pub name: String,
    /// The operation.
    pub op: Op,
    /// The tensors that the operation reads, in the order documented at [`Op`].
    pub inputs: Vec<ValueId>,
    /// The tensors that the operation writes: one, or several for some [`Op::Other`].
    pub outputs: Vec<ValueId>,
}

impl Graph {
    /// Returns the value with the id `id`.
    ///
    /// # Panics
    ///
    /// If `id` is the id of another graph's value and is out of range in this one.
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.0]
    }

    /// Returns a copy of the graph without the elements of its values.
    pub(crate) fn without_data(&self) -> Self {
        Self {
            input: self.input,
            outputs: self.outputs.clone(),
            output_names: self.output_names.clone(),
            any_batch: self.any_batch,
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

    /// Returns the name of every output.
    pub fn all_output_names(&self) -> impl Iterator<Item = String> {
        (0..self.outputs.len()).map(|index| match self.output_names.get(index) {
            Some(name) => name.clone(),
            None => format!("output{index}"),
        })
    }

    pub(crate) fn value_mut(&mut self, id: ValueId) -> &mut Value {
        &mut self.values[id.0]
    }

    /// Returns the shape of the value with the id `id`.
    ///
    /// # Panics
    ///
    /// As [`value`](Self::value).
    pub fn shape(&self, id: ValueId) -> &[usize] {
        &self.value(id).shape
    }

    /// Iterates over the values with their ids.
    pub fn ids(&self) -> impl Iterator<Item = (ValueId, &Value)> {
        self.values
            .iter()
            .enumerate()
            .map(|(index, value)| (ValueId(index), value))
    }
}
