//! From a recorded graph to layers over maps.
//!
//! A value of shape `[batch, ..]` is a view of a map: reshaping copies nothing, and is gone here. What
//! does not depend on the input becomes weights.

mod rearranged;
mod weighted;

use std::collections::{HashMap, HashSet};

use receptive_kernels::cpu::Activation;

use super::error::{CompileError, Problem};
use super::net::{Layer, LayerOp, MapId, Net, Window};
use super::values::Values;
use super::weights::{Affine, PerChannel};
use crate::graph::{self, Arithmetic, Graph, Node, Op, ValueId};

/// The layers of `graph`, whose constants `values` has too.
pub(super) fn translate(graph: &Graph, values: &mut Values) -> Result<Net, CompileError> {
    let input = graph.shape(graph.input);
    let (Some(shape), Some(&batch)) = (dims(input), input.first()) else {
        return Err(CompileError::Input {
            found: input.to_vec(),
        });
    };
    let mut translation = Translation {
        graph,
        batch,
        given: given(graph),
        maps: HashMap::from([(graph.input, MapId(0))]),
        net: Net {
            maps: vec![shape],
            input: MapId(0),
            outputs: Vec::new(),
            output_shapes: Vec::new(),
            layers: Vec::new(),
        },
    };
    for node in &graph.nodes {
        if !translation.given.contains(&node.outputs[0]) {
            let added = translation.node(node, values);
            added.map_err(|problem| problem.of(&node.name))?;
        }
    }
    for id in &graph.outputs {
        let map = translation.maps.get(id).copied();
        let (Some(map), Some(shape)) = (map, dims(graph.shape(*id))) else {
            let problem = Problem::unsupported(
                format!("an output {:?}", graph.shape(*id)),
                "maps or vectors that depend on the input",
            );
            return Err(problem.of("output"));
        };
        translation.net.outputs.push(map);
        translation.net.output_shapes.push(shape);
    }
    translation.net.drop_unread();
    Ok(translation.net)
}

/// The values that do not depend on the input.
fn given(graph: &Graph) -> HashSet<ValueId> {
    let mut given: HashSet<ValueId> = graph.ids().map(|(id, _)| id).collect();
    given.remove(&graph.input);
    for node in &graph.nodes {
        if node.inputs.iter().any(|input| !given.contains(input)) {
            for output in &node.outputs {
                given.remove(output);
            }
        }
    }
    given
}

/// The map of a value of this shape, the batch left out.
pub(super) fn dims(shape: &[usize]) -> Option<[usize; 3]> {
    match *shape {
        [_, channels, height, width] => Some([channels, height, width]),
        [_, channels, height] => Some([channels, height, 1]),
        [_, channels] => Some([channels, 1, 1]),
        _ => None,
    }
}

struct Translation<'a> {
    graph: &'a Graph,
    batch: usize,
    given: HashSet<ValueId>,
    maps: HashMap<ValueId, MapId>,
    net: Net,
}

impl Translation<'_> {
    fn node(&mut self, node: &Node, values: &mut Values) -> Result<(), Problem> {
        let graph = self.graph;
        let output = graph.shape(node.outputs[0]);
        match &node.op {
            Op::Reshape => self.alias(node),
            Op::Permute { axes } if rearranged::keeps_order(graph.shape(node.inputs[0]), axes) => {
                self.alias(node)
            }
            Op::Conv2d(conv) => self.convolution(node, conv),
            Op::Linear => self.linear(node),
            Op::BatchNorm { epsilon } => {
                let &[_, scale, shift, mean, variance] = &node.inputs[..] else {
                    return Err(unsupported(node));
                };
                self.given_weights(node)?;
                let affine = Affine::Norm {
                    scale,
                    shift,
                    mean,
                    variance,
                    epsilon: *epsilon,
                };
                let x = self.natural(node, 0)?;
                self.keep(node, LayerOp::Affine(vec![affine]), vec![x])
            }
            Op::MaxPool2d { window, dilation } => {
                let window = window_of(window, *dilation);
                let x = self.natural(node, 0)?;
                self.layer(node, LayerOp::MaxPool(window), vec![x])
            }
            Op::AvgPool2d {
                window,
                count_include_pad,
            } => {
                let op = LayerOp::MeanPool {
                    window: window_of(window, [1, 1]),
                    count_include_pad: *count_include_pad,
                };
                let x = self.natural(node, 0)?;
                self.layer(node, op, vec![x])
            }
            Op::AdaptiveAvgPool2d { .. } => {
                let x = self.natural(node, 0)?;
                self.layer(node, LayerOp::AdaptiveMean, vec![x])
            }
            Op::Mean { axes } if axes.iter().all(|axis| [2, 3].contains(axis)) => {
                let x = self.natural(node, 0)?;
                let [_, height, width] = self.net.shape(x);
                let side = |axis, length| if axes.contains(&axis) { length } else { 1 };
                let kernel = [side(2, height), side(3, width)];
                let op = LayerOp::MeanPool {
                    window: Window {
                        kernel,
                        stride: kernel,
                        padding: [0, 0],
                        dilation: [1, 1],
                    },
                    count_include_pad: true,
                };
                self.layer(node, op, vec![x])
            }
            Op::LocalResponseNorm {
                size,
                alpha,
                beta,
                k,
            } => {
                let op = LayerOp::Lrn {
                    size: *size,
                    alpha: *alpha,
                    beta: *beta,
                    k: *k,
                };
                let x = self.natural(node, 0)?;
                self.keep(node, op, vec![x])
            }
            Op::RadialBasis => {
                self.given_weights(node)?;
                let x = self.moving(node, 0)?;
                let op = LayerOp::RadialBasis {
                    centers: node.inputs[1],
                    inputs: self.net.shape(x).iter().product(),
                };
                self.layer(node, op, vec![x])
            }
            Op::Relu => self.activation(node, Activation::Relu),
            Op::Clamp { min, max } => {
                // A program is written as JSON, which has no infinities.
                let bound = |x: f64| (x as f32).clamp(f32::MIN, f32::MAX);
                let (low, high) = (bound(*min), bound(*max));
                self.activation(node, Activation::Clamp { low, high })
            }
            Op::Tanh => self.activation(node, Activation::Tanh),
            Op::Sigmoid => self.activation(node, Activation::Sigmoid),
            Op::Softmax { axis: 1 } => {
                let x = self.natural(node, 0)?;
                self.keep(node, LayerOp::Softmax, vec![x])
            }
            Op::Scalar(arithmetic, number) => {
                let affine = match arithmetic {
                    Arithmetic::Add => Affine::Shift(PerChannel::Number(*number)),
                    Arithmetic::Sub => Affine::Shift(PerChannel::Number(-number)),
                    Arithmetic::Mul => Affine::Scale(PerChannel::Number(*number)),
                    Arithmetic::Div => Affine::Scale(PerChannel::Number(1.0 / number)),
                };
                let x = self.moving(node, 0)?;
                self.keep(node, LayerOp::Affine(vec![affine]), vec![x])
            }
            Op::Binary(arithmetic) => self.binary(node, *arithmetic),
            Op::Concat { axis: 1 } => self.concatenation(node, values),
            Op::Slice { ranges } if rearranged::whole(ranges.first(), self.batch) => {
                self.slice(node, ranges)
            }
            Op::Select { axis: 1 } => self.selection(node, values),
            Op::Pad { padding, value } if *value == 0.0 && padding.first() == Some(&[0, 0]) => {
                self.padding(node, padding)
            }
            _ => Err(Problem::unsupported(
                format!("{} to {output:?}", node.op.word()),
                "an operation on the maps of each image by itself",
            )),
        }
    }

    /// The map of an input that depends on the network's.
    fn moving(&self, node: &Node, place: usize) -> Result<MapId, Problem> {
        let id = node.inputs.get(place).copied();
        let map = id.and_then(|id| self.maps.get(&id).copied());
        map.ok_or_else(|| unsupported(node))
    }

    /// The same of an input whose axes are the map's own.
    fn natural(&self, node: &Node, place: usize) -> Result<MapId, Problem> {
        let map = self.moving(node, place)?;
        let shape = self.graph.shape(node.inputs[place]);
        if dims(shape) == Some(self.net.shape(map)) {
            return Ok(map);
        }
        Err(Problem::unsupported(
            format!("{} of maps reshaped to {shape:?}", node.op.word()),
            "maps in the shape in which they were computed",
        ))
    }

    /// Whether all inputs but the first are given.
    fn given_weights(&self, node: &Node) -> Result<(), Problem> {
        if node.inputs[1..].iter().all(|id| self.given.contains(id)) {
            return Ok(());
        }
        Err(Problem::unsupported(
            format!("{} whose weights depend on the input", node.op.word()),
            "weights that are the same for every input",
        ))
    }

    /// Adds a layer whose output has the node's shape.
    fn layer(&mut self, node: &Node, op: LayerOp, inputs: Vec<MapId>) -> Result<(), Problem> {
        let shape = dims(self.graph.shape(node.outputs[0])).ok_or_else(|| unsupported(node))?;
        self.push(node, op, inputs, shape, Activation::Identity);
        Ok(())
    }

    /// Adds a layer whose output is as its input lies, however both are viewed.
    fn keep(&mut self, node: &Node, op: LayerOp, inputs: Vec<MapId>) -> Result<(), Problem> {
        let shape = self.net.shape(inputs[0]);
        self.push(node, op, inputs, shape, Activation::Identity);
        Ok(())
    }

    fn activation(&mut self, node: &Node, activation: Activation) -> Result<(), Problem> {
        let x = self.moving(node, 0)?;
        let shape = self.net.shape(x);
        self.push(node, LayerOp::Activation, vec![x], shape, activation);
        Ok(())
    }

    fn push(
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

fn unsupported(node: &Node) -> Problem {
    Problem::unsupported(
        node.op.word(),
        "maps that depend on the network's input, and weights that do not",
    )
}

fn window_of(window: &graph::Window, dilation: [usize; 2]) -> Window {
    Window {
        kernel: window.kernel,
        stride: window.stride,
        padding: window.padding,
        dilation,
    }
}
