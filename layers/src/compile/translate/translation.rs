//! State of a translation: the network under construction, and the map of each translated value.

use std::collections::{HashMap, HashSet};

use receptive_kernels::cpu::Activation;

use crate::compile::error::{CompileError, Problem};
use crate::compile::net::{Layer, LayerOp, MapId, Net};
use crate::graph::{Graph, Node, ValueId};

/// A network under construction.
pub(super) struct Translation<'a> {
    pub graph: &'a Graph,
    /// Recorded batch size, in images.
    pub batch: usize,
    /// The values that do not depend on the network's input.
    pub constants: HashSet<ValueId>,
    /// The map of each translated value.
    pub maps: HashMap<ValueId, MapId>,
    pub net: Net,
}

impl<'a> Translation<'a> {
    /// Starts the translation of `graph` with the map of the input.
    ///
    /// # Errors
    ///
    /// [`CompileError::Input`] if the input is neither a batch of feature maps nor a batch of
    /// vectors.
    pub fn new(graph: &'a Graph) -> Result<Self, CompileError> {
        let input = graph.shape(graph.input);
        let (Some(shape), Some(&batch)) = (dims(input), input.first()) else {
            return Err(CompileError::Input {
                found: input.to_vec(),
            });
        };
        Ok(Self {
            graph,
            batch,
            constants: constants(graph),
            maps: HashMap::from([(graph.input, MapId(0))]),
            net: Net {
                maps: vec![shape],
                input: MapId(0),
                outputs: Vec::new(),
                output_shapes: Vec::new(),
                layers: Vec::new(),
            },
        })
    }

    /// Returns the map of the operand `index` of `node`, in any shape.
    ///
    /// # Errors
    ///
    /// [`Problem::Unsupported`] if the operand does not depend on the network's input.
    pub fn operand(&self, node: &Node, index: usize) -> Result<MapId, Problem> {
        let id = node.inputs.get(index).copied();
        let map = id.and_then(|id| self.maps.get(&id).copied());
        map.ok_or_else(|| unsupported(node))
    }

    /// Returns the map of the operand `index` of `node`, whose shape must equal the shape of the
    /// map.
    ///
    /// # Errors
    ///
    /// [`Problem::Unsupported`] if the operand is reshaped, or does not depend on the network's
    /// input.
    pub fn unreshaped_operand(&self, node: &Node, index: usize) -> Result<MapId, Problem> {
        let map = self.operand(node, index)?;
        let shape = self.graph.shape(node.inputs[index]);
        if dims(shape) == Some(self.net.shape(map)) {
            return Ok(map);
        }
        Err(Problem::unsupported(
            format!("{} of maps reshaped to {shape:?}", node.op.word()),
            "maps in the shape in which they were computed",
        ))
    }

    /// Checks that all operands of `node` but the first are constant.
    ///
    /// # Errors
    ///
    /// [`Problem::Unsupported`] if one of them depends on the network's input.
    pub fn check_constant_weights(&self, node: &Node) -> Result<(), Problem> {
        if (node.inputs[1..].iter()).all(|id| self.constants.contains(id)) {
            return Ok(());
        }
        Err(Problem::unsupported(
            format!("{} whose weights depend on the input", node.op.word()),
            "weights that are the same for every input",
        ))
    }

    /// Adds a layer whose output map has the shape of the node's output.
    pub fn push_layer(
        &mut self,
        node: &Node,
        op: LayerOp,
        inputs: Vec<MapId>,
    ) -> Result<(), Problem> {
        let shape = dims(self.graph.shape(node.outputs[0])).ok_or_else(|| unsupported(node))?;
        self.push(node, op, inputs, shape, Activation::Identity);
        Ok(())
    }

    /// Adds a layer whose output map has the shape of the first input map.
    pub fn push_elementwise(&mut self, node: &Node, op: LayerOp, inputs: Vec<MapId>) {
        let shape = self.net.shape(inputs[0]);
        self.push(node, op, inputs, shape, Activation::Identity);
    }

    /// Adds a layer that only applies `activation`.
    pub fn push_activation(&mut self, node: &Node, activation: Activation) -> Result<(), Problem> {
        let x = self.operand(node, 0)?;
        let shape = self.net.shape(x);
        self.push(node, LayerOp::Activation, vec![x], shape, activation);
        Ok(())
    }

    /// Adds a layer with an output map of `shape`, which becomes the map of the node's output.
    pub fn push(
        &mut self,
        node: &Node,
        op: LayerOp,
        inputs: Vec<MapId>,
        shape: [usize; 3],
        activation: Activation,
    ) -> MapId {
        let output = self.net.new_map(shape);
        self.maps.insert(node.outputs[0], output);
        self.net.layers.push(Layer {
            name: node.name.clone(),
            op,
            inputs,
            residual: None,
            activation,
            output,
        });
        output
    }
}

/// Returns the values that do not depend on the input.
fn constants(graph: &Graph) -> HashSet<ValueId> {
    let mut constants: HashSet<ValueId> = graph.ids().map(|(id, _)| id).collect();
    constants.remove(&graph.input);
    for node in &graph.nodes {
        if node.inputs.iter().any(|input| !constants.contains(input)) {
            for output in &node.outputs {
                constants.remove(output);
            }
        }
    }
    constants
}

/// Returns `[channels, height, width]` of a value of shape `[batch, ..]` of rank 2 to 4.
pub(super) fn dims(shape: &[usize]) -> Option<[usize; 3]> {
    match *shape {
        [_, channels, height, width] => Some([channels, height, width]),
        [_, channels, height] => Some([channels, height, 1]),
        [_, channels] => Some([channels, 1, 1]),
        _ => None,
    }
}

/// Returns the problem of a node whose operands the compiler does not support.
pub(super) fn unsupported(node: &Node) -> Problem {
    Problem::unsupported(
        node.op.word(),
        "maps that depend on the network's input, and weights that do not",
    )
}
