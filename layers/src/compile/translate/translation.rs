//! State of a translation: the network under construction, and the map of each translated value.

use std::collections::{HashMap, HashSet};

use receptive_kernels::cpu::Activation;

use super::axes;
use crate::compile::error::{CompileError, Problem};
use crate::compile::net::{Constant, Layer, LayerOp, MapId, Net, Rearrangement, Slice};
use crate::graph::{Graph, Node, ValueId};

/// A network under construction.
pub(super) struct Translation<'a> {
    pub graph: &'a Graph,
    /// Recorded batch size, in images: the length of the first axis of every value that depends on the
    /// input. `None`: the whole input is one image, and operations may combine the entries of every
    /// axis.
    pub batch: Option<usize>,
    /// The values that do not depend on the network's input.
    pub constants: HashSet<ValueId>,
    /// The map of each translated value.
    pub maps: HashMap<ValueId, MapId>,
    pub net: Net,
}

impl<'a> Translation<'a> {
    /// Starts the translation of `graph` with the map of the input: of each image, or of the whole
    /// input.
    ///
    /// # Errors
    ///
    /// [`CompileError::Input`] if the input is empty, or a batch of single numbers.
    pub fn new(graph: &'a Graph, per_image: bool) -> Result<Self, CompileError> {
        let input = graph.shape(graph.input);
        let batch = input.first().copied().filter(|_| per_image);
        if input.contains(&0) || (per_image && input.len() < 2) {
            return Err(CompileError::Input {
                found: input.to_vec(),
            });
        }
        let mut translation = Self {
            graph,
            batch,
            constants: constants(graph),
            maps: HashMap::from([(graph.input, MapId(0))]),
            net: Net {
                maps: Vec::new(),
                input: MapId(0),
                outputs: Vec::new(),
                output_shapes: Vec::new(),
                layers: Vec::new(),
            },
        };
        let shape = translation.map_shape(graph.input);
        translation.net.maps.push(shape);
        Ok(translation)
    }

    /// Returns the shape of the part of a value that an image has: one entry of the first axis, or the
    /// whole value. Constants are the same for all images.
    pub fn image_shape(&self, id: ValueId) -> Vec<usize> {
        let mut shape = self.graph.shape(id).to_vec();
        if let (Some(first), Some(_)) = (shape.first_mut(), self.batch)
            && !self.constants.contains(&id)
        {
            *first = 1;
        }
        shape
    }

    /// Returns the shape in which a value is stored as a map.
    pub fn map_shape(&self, id: ValueId) -> [usize; 3] {
        stored(&self.image_shape(id))
    }

    /// Whether the channels, rows and columns of the map of a value are its axes 1, 2 and 3.
    pub fn is_map(&self, id: ValueId) -> bool {
        let shape = self.image_shape(id);
        shape.first() == Some(&1) && (2..=4).contains(&shape.len())
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

    /// Returns the operand `index` of `node` as a map of channels, rows and columns.
    ///
    /// # Errors
    ///
    /// [`Problem::Unsupported`] if the operand has other axes, or does not depend on the network's
    /// input.
    pub fn map_operand(&mut self, node: &Node, index: usize) -> Result<MapId, Problem> {
        let id = node.inputs.get(index).copied();
        let Some(id) = id.filter(|&id| self.is_map(id)) else {
            let shape = id.map(|id| self.graph.shape(id)).unwrap_or_default();
            return Err(Problem::unsupported(
                format!("{} of {shape:?}", node.op.word()),
                "[batch, channels, height, width], [batch, channels, length] or [batch, features]",
            ));
        };
        self.shaped_operand(node, index, self.map_shape(id))
    }

    /// Returns the operand `index` of `node`, which may be constant, as a map of the shape in which the
    /// value is stored.
    ///
    /// # Errors
    ///
    /// [`Problem::Unsupported`] if the operand is missing.
    pub fn stored_operand(&mut self, node: &Node, index: usize) -> Result<MapId, Problem> {
        let Some(&id) = node.inputs.get(index) else {
            return Err(unsupported(node));
        };
        if self.constants.contains(&id) {
            let shape = self.graph.shape(id).to_vec();
            return Ok(self.constant(node, id, shape));
        }
        self.shaped_operand(node, index, self.map_shape(id))
    }

    /// Returns the map of the operand `index` of `node` in the shape `shape`, to which the elements are
    /// copied if the map has another one.
    ///
    /// # Errors
    ///
    /// [`Problem::Unsupported`] if the operand does not depend on the network's input.
    pub fn shaped_operand(
        &mut self,
        node: &Node,
        index: usize,
        shape: [usize; 3],
    ) -> Result<MapId, Problem> {
        let map = self.operand(node, index)?;
        Ok(self.shaped(node, map, shape))
    }

    /// Returns `map` in another shape of as many elements.
    pub fn shaped(&mut self, node: &Node, map: MapId, shape: [usize; 3]) -> MapId {
        let found = self.net.shape(map);
        if found == shape {
            return map;
        }
        let len = found.iter().product();
        debug_assert_eq!(len, shape.iter().product::<usize>());
        let copy = Rearrangement::new(0, vec![axes::stepped(len, 1)]);
        self.add(node, LayerOp::Rearrange(copy), vec![map], shape)
    }

    /// Adds a map of a constant value, broadcast to `shape`.
    pub fn constant(&mut self, node: &Node, value: ValueId, shape: Vec<usize>) -> MapId {
        let map = stored(&shape);
        let op = LayerOp::Constant(Constant::Value { value, shape });
        self.add(node, op, Vec::new(), map)
    }

    /// Adds a copy of elements of `x` in another order, as a map of `shape`. Copies of whole channels
    /// are slices, whose maps keep the height and width of `x`.
    ///
    /// # Errors
    ///
    /// [`Problem::Unsupported`] for a map of more than 2^32 elements.
    pub fn rearrange(
        &mut self,
        node: &Node,
        x: MapId,
        copy: Rearrangement,
        shape: [usize; 3],
    ) -> Result<MapId, Problem> {
        let found = self.net.shape(x);
        let len: usize = found.iter().product();
        if u32::try_from(len).is_err() {
            return Err(Problem::unsupported(
                format!("{} of {len} elements", node.op.word()),
                "at most 2^32 elements",
            ));
        }
        if copy.is_identity(len) && len == shape.iter().product::<usize>() {
            return Ok(x);
        }
        let [_, height, width] = found;
        let plane = height * width;
        if plane > 1
            && let Some(channels) = copy.channels(plane)
        {
            let shape = [channels.len(), height, width];
            let slice = Slice {
                channels: channels.into_iter().map(Some).collect(),
                start: [0, 0],
                step: [1, 1],
            };
            return Ok(self.add(node, LayerOp::Slice(slice), vec![x], shape));
        }
        Ok(self.add(node, LayerOp::Rearrange(copy), vec![x], shape))
    }

    /// Adds a layer with an output map of `shape`, which is not yet the map of a value.
    pub fn add(
        &mut self,
        node: &Node,
        op: LayerOp,
        inputs: Vec<MapId>,
        shape: [usize; 3],
    ) -> MapId {
        let output = self.net.new_map(shape);
        self.net.layers.push(Layer {
            name: node.name.clone(),
            op,
            inputs,
            residual: None,
            activation: Activation::Identity,
            output,
        });
        output
    }

    /// Makes `map` the map of the output of `node`.
    pub fn finish(&mut self, node: &Node, map: MapId) {
        self.maps.insert(node.outputs[0], map);
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
        let shape = self.map_shape(node.outputs[0]);
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
        let output = self.add(node, op, inputs, shape);
        if let Some(layer) = self.net.layers.last_mut() {
            layer.activation = activation;
        }
        self.maps.insert(node.outputs[0], output);
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

/// Returns the shape of the map that stores a tensor of `shape`: the axes after a first one of length
/// one, where the axes between the first and the last one are the height.
pub(super) fn stored(shape: &[usize]) -> [usize; 3] {
    match *shape {
        [] => [1, 1, 1],
        [length] => [length, 1, 1],
        [1, ref rest @ ..] => match *rest {
            [channels] => [channels, 1, 1],
            [channels, height] => [channels, height, 1],
            [channels, ref rows @ .., width] => [channels, rows.iter().product(), width],
            [] => [1, 1, 1],
        },
        [channels, height] => [channels, height, 1],
        [channels, ref rows @ .., width] => [channels, rows.iter().product(), width],
    }
}

/// Returns the problem of a node whose operands the compiler does not support.
pub(super) fn unsupported(node: &Node) -> Problem {
    Problem::unsupported(
        node.op.word(),
        "maps that depend on the network's input, and weights that do not",
    )
}
