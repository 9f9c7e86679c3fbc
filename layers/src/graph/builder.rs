//! Graphs that are built node by node, for example from a file.

use burn::tensor::DType;

use super::op::Op;
use super::structure::{Graph, Node};
use super::value::{Origin, ParameterKind, Value, ValueData, ValueId};
use super::{activations, simplify};

/// A [`Graph`] under construction.
///
/// ```
/// use receptive_layers::graph::{GraphBuilder, Op};
///
/// let mut builder = GraphBuilder::new(vec![1, 3, 32, 32]);
/// let input = builder.input();
/// let output = builder.node("relu", Op::Relu, vec![input], vec![1, 3, 32, 32]);
/// let graph = builder.finish(vec![("maps".to_owned(), output)]);
/// assert_eq!(graph.nodes[0].name, "relu");
/// ```
#[derive(Debug)]
pub struct GraphBuilder {
    graph: Graph,
}

impl GraphBuilder {
    /// Starts a graph whose input has shape `input`, in float32.
    pub fn new(input: Vec<usize>) -> Self {
        let input = Value {
            shape: input,
            dtype: DType::F32,
            origin: Origin::Input,
            data: None,
        };
        Self {
            graph: Graph {
                input: ValueId(0),
                outputs: Vec::new(),
                output_names: Vec::new(),
                any_batch: false,
                nodes: Vec::new(),
                values: vec![input],
            },
        }
    }

    /// Returns the input.
    pub fn input(&self) -> ValueId {
        self.graph.input
    }

    /// Returns the nodes and values that were added.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Adds a parameter in float32. [`set_data`](Self::set_data) gives it elements.
    pub fn parameter(&mut self, name: &str, kind: ParameterKind, shape: Vec<usize>) -> ValueId {
        self.value(Value {
            shape,
            dtype: DType::F32,
            origin: Origin::Parameter {
                name: name.to_owned(),
                kind,
            },
            data: None,
        })
    }

    /// Adds a constant. [`set_data`](Self::set_data) gives it elements.
    pub fn constant(&mut self, shape: Vec<usize>, dtype: DType) -> ValueId {
        self.value(Value {
            shape,
            dtype,
            origin: Origin::Constant,
            data: None,
        })
    }

    /// Sets the elements of a parameter or constant.
    ///
    /// # Panics
    ///
    /// If `id` is not a value of this graph.
    pub fn set_data(&mut self, id: ValueId, data: ValueData) {
        self.graph.value_mut(id).data = Some(data);
    }

    /// Adds a node and returns its output, a float32 tensor of shape `shape`.
    ///
    /// The caller computes the shape. Names must be unique when the graph is [finished](Self::finish).
    pub fn node(&mut self, name: &str, op: Op, inputs: Vec<ValueId>, shape: Vec<usize>) -> ValueId {
        let output = self.value(Value {
            shape,
            dtype: DType::F32,
            origin: Origin::Computed,
            data: None,
        });
        self.graph.nodes.push(Node {
            name: name.to_owned(),
            op,
            inputs,
            outputs: vec![output],
        });
        output
    }

    /// Renames the node that was added as number `index`, counted from 0.
    ///
    /// # Panics
    ///
    /// If there are not so many nodes.
    pub fn rename(&mut self, index: usize, name: String) {
        self.graph.nodes[index].name = name;
    }

    /// Returns the graph with the given outputs, each with its name.
    ///
    /// As in a recorded graph, operations that change nothing and operations that no output depends on are
    /// removed, and operations that form one layer or activation are merged. A merged node has the name of the
    /// last node. [`Graph::any_batch`] is `false`.
    pub fn finish(self, outputs: Vec<(String, ValueId)>) -> Graph {
        let mut graph = self.graph;
        (graph.output_names, graph.outputs) = outputs.into_iter().unzip();
        simplify::simplify(&mut graph);
        activations::merge(&mut graph);
        graph
    }

    fn value(&mut self, value: Value) -> ValueId {
        self.graph.values.push(value);
        ValueId(self.graph.values.len() - 1)
    }
}
