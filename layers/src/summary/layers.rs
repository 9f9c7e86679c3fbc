//! The rows of a summary: assignment of nodes to layers, and the costs of each node.

use std::collections::{HashMap, HashSet};

use receptive_kernels::cost::{self, Convolution, Cost, CostError};

use super::channel_axis::channel_axes;
use super::error::{CountError, SummaryError};
use super::kind::{joined, kind};
use super::report::Layer;
use crate::graph::{Arithmetic, Graph, Node, Op, Origin, ParameterKind, ValueId};

/// Returns the layers of `graph` in execution order.
pub(super) fn layers(graph: &Graph) -> Result<Vec<Layer>, SummaryError> {
    let mut builder = RowBuilder {
        graph,
        sources: sources(graph),
        counted: HashSet::new(),
        row_of: HashMap::new(),
        channel_axes: channel_axes(graph),
        rows: Vec::new(),
    };
    for node in &graph.nodes {
        builder.add(node).map_err(|reason| SummaryError {
            layer: node.name.clone(),
            reason,
        })?;
    }
    Ok(builder.rows)
}

/// The rows of a summary under construction.
struct RowBuilder<'a> {
    graph: &'a Graph,
    /// For each value that does not depend on the input, the parameters and constants from which
    /// the value is computed.
    sources: HashMap<ValueId, Vec<ValueId>>,
    /// Parameters and constants that are already counted in a row.
    counted: HashSet<ValueId>,
    /// Row that computes each value.
    row_of: HashMap<ValueId, usize>,
    /// Axis of the channels in each value.
    channel_axes: Vec<usize>,
    rows: Vec<Layer>,
}

impl RowBuilder<'_> {
    /// Adds a node to the row of its input, or as a new row.
    fn add(&mut self, node: &Node) -> Result<(), CountError> {
        let dependent: Vec<ValueId> = (node.inputs.iter().copied())
            .filter(|input| !self.sources.contains_key(input))
            .collect();
        if dependent.is_empty() {
            return Ok(());
        }
        let parameters = self.parameters(node);
        let input_row = dependent
            .iter()
            .find_map(|input| self.row_of.get(input))
            .copied();
        let row = match input_row {
            Some(row) if node.op.is_activation() || matches!(node.op, Op::Softmax { .. }) => {
                let activation = &mut self.rows[row].activation;
                let name = kind(self.graph, node);
                *activation = Some(match activation.take() {
                    Some(first) => format!("{first}, {name}"),
                    None => name,
                });
                row
            }
            Some(row) if parameters.is_empty() && self.is_free(&node.op, &dependent) => row,
            Some(row) if self.belongs_to(row, node, &parameters) => {
                let module = module(&parameters, self.graph);
                if !module.is_empty() {
                    self.rows[row].name = module.to_owned();
                }
                row
            }
            None if parameters.is_empty() && self.is_free(&node.op, &dependent) => return Ok(()),
            _ => {
                self.rows.push(Layer {
                    name: node.name.clone(),
                    kind: kind(self.graph, node),
                    activation: None,
                    output: Vec::new(),
                    channel_axis: 1,
                    parameters: 0,
                    fixed: 0,
                    formula: String::new(),
                    macs: 0,
                    uncounted: Vec::new(),
                    connections: 0,
                    activation_values: 0,
                    memory_bytes: 0,
                });
                self.rows.len() - 1
            }
        };
        self.row_of
            .extend(node.outputs.iter().map(|&output| (output, row)));
        self.count(row, node, &parameters)
    }

    /// Adds the costs of a node to its row.
    fn count(&mut self, row: usize, node: &Node, parameters: &[ValueId]) -> Result<(), CountError> {
        let output = self.graph.value(node.outputs[0]);
        let cost = node_cost(self.graph, node, parameters)?;
        let layer = &mut self.rows[row];
        if cost.allocates_output || layer.output.is_empty() {
            layer.output.clone_from(&output.shape);
            layer.channel_axis = self.channel_axes[node.outputs[0].index()];
        }
        layer.macs += cost.macs;
        if cost.is_uncounted {
            layer.uncounted.push(node.op.word().to_owned());
        }
        layer.connections += cost.connections;
        if cost.allocates_output {
            layer.activation_values += output.len() as u64;
            layer.memory_bytes += cost::bytes(output.len() as u64, output.dtype.size())?;
        }
        for &id in parameters.iter().filter(|&&id| self.counted.insert(id)) {
            let value = self.graph.value(id);
            if !matches!(value.parameter(), Some((_, ParameterKind::Trainable))) {
                layer.fixed += value.len() as u64;
                continue;
            }
            layer.parameters += value.len() as u64;
            let mut shape = value.shape.clone();
            if node.op == Op::Linear {
                shape.reverse();
            }
            if !layer.formula.is_empty() {
                layer.formula += " + ";
            }
            layer.formula += &joined(&shape);
        }
        Ok(())
    }

    /// Returns the parameters that a node reads, and the constants that it reads as weights.
    fn parameters(&self, node: &Node) -> Vec<ValueId> {
        let sources = node
            .inputs
            .iter()
            .filter_map(|input| self.sources.get(input));
        sources
            .flatten()
            .copied()
            .filter(|&id| match self.graph.value(id).origin {
                Origin::Parameter { .. } => true,
                Origin::Constant => has_weights(&node.op),
                _ => false,
            })
            .collect()
    }

    /// Returns whether an operation without parameters has no row: it only moves the elements of
    /// one layer, or combines them with a constant. `dependent` are the operation's inputs that
    /// depend on the network's input.
    fn is_free(&self, op: &Op, dependent: &[ValueId]) -> bool {
        match op {
            Op::Reshape
            | Op::Expand
            | Op::Permute { .. }
            | Op::Slice { .. }
            | Op::Select { .. }
            | Op::Pad { .. }
            | Op::Scalar(..) => true,
            Op::Binary(_) => dependent.len() == 1,
            Op::Concat { .. } => {
                let mut rows = dependent.iter().map(|input| self.row_of.get(input));
                let first = rows.next();
                rows.all(|row| Some(row) == first)
            }
            _ => false,
        }
    }

    /// Returns whether a node scales or shifts the output of a row as part of the same layer, as in
    /// LeNet-5's subsampling, which is a mean, a coefficient and a bias.
    fn belongs_to(&self, row: usize, node: &Node, parameters: &[ValueId]) -> bool {
        let row = &self.rows[row];
        matches!(node.op, Op::Binary(_))
            && row.activation.is_none()
            && !parameters.is_empty()
            && (row.formula.is_empty() || row.name == module(parameters, self.graph))
    }
}

/// Returns the path of the module that contains the first named parameter; empty if there is none.
fn module<'a>(parameters: &[ValueId], graph: &'a Graph) -> &'a str {
    let named = parameters
        .iter()
        .find_map(|&id| graph.value(id).parameter());
    let path = named.and_then(|(name, _)| name.rsplit_once('.'));
    path.map_or("", |(module, _)| module)
}

/// Returns whether all inputs of an operation but the first are weights.
fn has_weights(op: &Op) -> bool {
    matches!(
        op,
        Op::Conv2d(_) | Op::BatchNorm { .. } | Op::Linear | Op::RadialBasis
    )
}

/// Returns, for each value that does not depend on the input, the parameters and constants from
/// which the value is computed.
fn sources(graph: &Graph) -> HashMap<ValueId, Vec<ValueId>> {
    let leaf = |origin: &Origin| matches!(origin, Origin::Parameter { .. } | Origin::Constant);
    let mut sources: HashMap<ValueId, Vec<ValueId>> = graph
        .ids()
        .filter(|(_, value)| leaf(&value.origin))
        .map(|(id, _)| (id, vec![id]))
        .collect();
    for node in &graph.nodes {
        let inputs: Option<Vec<Vec<ValueId>>> = node
            .inputs
            .iter()
            .map(|id| sources.get(id).cloned())
            .collect();
        if let Some(inputs) = inputs {
            let inputs = inputs.concat();
            sources.extend(node.outputs.iter().map(|&id| (id, inputs.clone())));
        }
    }
    sources
}

/// Costs of a node without its parameters.
struct NodeCost {
    /// Multiply-adds for the whole batch.
    macs: u64,
    /// Connections for one image.
    connections: u64,
    /// Whether the output needs its own memory.
    allocates_output: bool,
    /// Whether the multiply-adds are unknown.
    is_uncounted: bool,
}

/// Returns the costs of a node, which reads `parameters`.
fn node_cost(graph: &Graph, node: &Node, parameters: &[ValueId]) -> Result<NodeCost, CostError> {
    let shape = |input: usize| graph.shape(node.inputs[input]);
    let output = graph.shape(node.outputs[0]);
    let free = NodeCost {
        macs: 0,
        connections: 0,
        allocates_output: false,
        is_uncounted: false,
    };
    let batch = output.first().copied().unwrap_or(1) as u64;
    let allocating = |cost: Cost, times: u64| {
        let overflow = CostError::Overflow {
            quantity: "multiply-adds",
        };
        Ok(NodeCost {
            macs: cost.macs.checked_mul(times).ok_or(overflow)?,
            connections: cost.connections,
            allocates_output: true,
            is_uncounted: false,
        })
    };
    match (&node.op, output) {
        (Op::Conv2d(conv), &[_, channels, height, width]) => {
            let &[_, per_group, rows, columns] = shape(1) else {
                return Ok(free);
            };
            let convolution = Convolution {
                channels: [per_group * conv.groups, channels],
                kernel: [rows, columns],
                groups: conv.groups,
                bias: node.inputs.len() > 2,
            };
            allocating(convolution.cost([height, width])?, batch)
        }
        (Op::ConvTranspose2d(_), &[_, channels, height, width]) => {
            // Each input element is multiplied by the weights of all its outputs.
            let weights = elements(&shape(1)[1..]);
            let products = elements(shape(0)).zip(weights);
            let products = products.and_then(|(inputs, weights)| inputs.checked_mul(weights));
            let macs = products.ok_or(CostError::Overflow {
                quantity: "multiply-adds",
            })?;
            let biases = match node.inputs.len() {
                3 => elements(&[channels, height, width]).unwrap_or(0),
                _ => 0,
            };
            Ok(NodeCost {
                macs,
                connections: (macs / images(graph)).saturating_add(biases),
                allocates_output: true,
                is_uncounted: false,
            })
        }
        (Op::Linear, &[.., outputs]) => {
            let inputs = shape(1)[0];
            let rows: usize = output[..output.len() - 1].iter().product();
            allocating(
                cost::linear(inputs, outputs, node.inputs.len() > 2)?,
                rows as u64,
            )
        }
        (Op::RadialBasis, &[_, classes]) => {
            allocating(cost::radial_basis(shape(1)[1], classes)?, batch)
        }
        (
            Op::MaxPool2d { window, .. } | Op::AvgPool2d { window, .. },
            &[_, channels, height, width],
        ) => allocating(cost::pool(channels, window.kernel, [height, width])?, batch),
        (Op::AdaptiveAvgPool2d { output: windows }, &[_, channels, ..]) => {
            let &[.., height, width] = shape(0) else {
                return Ok(free);
            };
            let connections = [
                channels as u64,
                adaptive_connections(height, windows[0]),
                adaptive_connections(width, windows[1]),
            ];
            let connections = connections
                .iter()
                .try_fold(1u64, |n, &axis| n.checked_mul(axis));
            Ok(NodeCost {
                connections: connections.ok_or(CostError::Overflow {
                    quantity: "connections",
                })?,
                allocates_output: true,
                ..free
            })
        }
        (
            Op::LocalResponseNorm { .. }
            | Op::Mean { .. }
            | Op::Reduce { .. }
            | Op::Resample { .. },
            _,
        ) => Ok(NodeCost {
            allocates_output: true,
            ..free
        }),
        (Op::Matmul, &[.., _]) => {
            let inner = shape(0).last().copied().unwrap_or(1) as u64;
            let products = elements(output).and_then(|elements| elements.checked_mul(inner));
            let macs = products.ok_or(CostError::Overflow {
                quantity: "multiply-adds",
            })?;
            Ok(NodeCost {
                macs,
                connections: macs / images(graph),
                allocates_output: true,
                is_uncounted: false,
            })
        }
        (Op::Other { multiply_adds, .. }, _) => {
            let macs = multiply_adds.unwrap_or(0);
            // The bias of a convolution has one connection into each unit.
            let bias = node.inputs.get(2).is_some_and(|&id| {
                graph.shape(id).len() == 1 && graph.value(id).parameter().is_some()
            });
            let biases = match bias && macs > 0 {
                true => elements(output).unwrap_or(0) / images(graph),
                false => 0,
            };
            Ok(NodeCost {
                macs,
                connections: (macs / images(graph)).saturating_add(biases),
                allocates_output: true,
                is_uncounted: multiply_adds.is_none(),
            })
        }
        // A bias outside of a convolution has one connection into each unit.
        (Op::Binary(Arithmetic::Add), _) if !parameters.is_empty() => Ok(NodeCost {
            connections: output[1..].iter().product::<usize>() as u64,
            ..free
        }),
        _ => Ok(free),
    }
}

/// Returns the number of images that `graph` was recorded for.
fn images(graph: &Graph) -> u64 {
    let images = graph.shape(graph.input).first().copied();
    images.unwrap_or(1).max(1) as u64
}

/// Returns the number of elements of a tensor, or `None` if it exceeds 64 bits.
fn elements(shape: &[usize]) -> Option<u64> {
    let mut axes = shape.iter();
    axes.try_fold(1u64, |product, &axis| product.checked_mul(axis as u64))
}

/// Returns the number of connections of an adaptive pool along one axis of `length` elements with
/// `windows` windows, which overlap if `windows` does not divide `length`.
fn adaptive_connections(length: usize, windows: usize) -> u64 {
    (0..windows)
        .map(|window| ((window + 1) * length).div_ceil(windows) - window * length / windows)
        .sum::<usize>() as u64
}
