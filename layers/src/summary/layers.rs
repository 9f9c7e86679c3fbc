//! The rows of a summary: which nodes make one, which join the one before, and what each costs.

use std::collections::{HashMap, HashSet};

use receptive_kernels::cost::{self, Convolution, Cost, CostError};

use super::kind::{kind, times};
use super::{CountError, Layer, SummaryError};
use crate::graph::{Arithmetic, Graph, Node, Op, Origin, Role, ValueId};

/// The layers of `graph`, in the order in which they run.
pub(super) fn layers(graph: &Graph) -> Result<Vec<Layer>, SummaryError> {
    let mut rows = Rows {
        graph,
        sources: sources(graph),
        counted: HashSet::new(),
        row_of: HashMap::new(),
        rows: Vec::new(),
    };
    for node in &graph.nodes {
        rows.add(node).map_err(|reason| SummaryError {
            layer: node.name.clone(),
            reason,
        })?;
    }
    Ok(rows.rows)
}

struct Rows<'a> {
    graph: &'a Graph,
    /// For every value that does not depend on the input, the parameters and constants that it
    /// is made of.
    sources: HashMap<ValueId, Vec<ValueId>>,
    /// Parameters that a row has.
    counted: HashSet<ValueId>,
    /// The row whose output a value is.
    row_of: HashMap<ValueId, usize>,
    rows: Vec<Layer>,
}

impl Rows<'_> {
    fn add(&mut self, node: &Node) -> Result<(), CountError> {
        let moving: Vec<ValueId> = (node.inputs.iter().copied())
            .filter(|input| !self.sources.contains_key(input))
            .collect();
        if moving.is_empty() {
            return Ok(());
        }
        let parameters = self.parameters(node);
        let before = moving
            .iter()
            .find_map(|input| self.row_of.get(input))
            .copied();
        let row = match before {
            Some(row) if node.op.is_activation() || matches!(node.op, Op::Softmax { .. }) => {
                let activation = &mut self.rows[row].activation;
                let name = kind(self.graph, node);
                *activation = Some(match activation.take() {
                    Some(first) => format!("{first}, {name}"),
                    None => name,
                });
                row
            }
            Some(row) if parameters.is_empty() && self.is_free(&node.op, &moving) => row,
            Some(row) if self.joins(row, node, &parameters) => {
                let module = module(&parameters, self.graph);
                if !module.is_empty() {
                    self.rows[row].name = module.to_owned();
                }
                row
            }
            None if parameters.is_empty() && self.is_free(&node.op, &moving) => return Ok(()),
            _ => {
                self.rows.push(Layer {
                    name: node.name.clone(),
                    kind: kind(self.graph, node),
                    activation: None,
                    output: Vec::new(),
                    parameters: 0,
                    fixed: 0,
                    formula: String::new(),
                    macs: 0,
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

    /// Adds a node's costs to its row.
    fn count(&mut self, row: usize, node: &Node, parameters: &[ValueId]) -> Result<(), CountError> {
        let output = self.graph.value(node.outputs[0]);
        let cost = cost(self.graph, node, parameters)?;
        let layer = &mut self.rows[row];
        if cost.kept || layer.output.is_empty() {
            layer.output.clone_from(&output.shape);
        }
        layer.macs += cost.macs;
        layer.connections += cost.connections;
        if cost.kept {
            layer.activation_values += output.len() as u64;
            layer.memory_bytes += cost::bytes(output.len() as u64, output.dtype.size())?;
        }
        for &id in parameters.iter().filter(|&&id| self.counted.insert(id)) {
            let value = self.graph.value(id);
            if !matches!(value.parameter(), Some((_, Role::Trainable))) {
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
            layer.formula += &times(&shape);
        }
        Ok(())
    }

    /// Parameters that a node reads, and the constants that stand where parameters do.
    fn parameters(&self, node: &Node) -> Vec<ValueId> {
        let given = node
            .inputs
            .iter()
            .filter_map(|input| self.sources.get(input));
        given
            .flatten()
            .copied()
            .filter(|&id| match self.graph.value(id).origin {
                Origin::Parameter { .. } => true,
                Origin::Constant => has_weights(&node.op),
                _ => false,
            })
            .collect()
    }

    /// Whether an operation on values that depend on the input is no layer of its own: it moves
    /// one layer's elements, or a number changes them.
    fn is_free(&self, op: &Op, moving: &[ValueId]) -> bool {
        match op {
            Op::Reshape
            | Op::Expand
            | Op::Permute { .. }
            | Op::Slice { .. }
            | Op::Select { .. }
            | Op::Pad { .. }
            | Op::Scalar(..) => true,
            Op::Binary(_) => moving.len() == 1,
            Op::Concat { .. } => {
                let mut rows = moving.iter().map(|input| self.row_of.get(input));
                let first = rows.next();
                rows.all(|row| Some(row) == first)
            }
            _ => false,
        }
    }

    /// Whether a node scales or shifts the output of a row as a part of the same layer: LeNet-5's
    /// subsampling is a mean, a coefficient and a bias.
    fn joins(&self, row: usize, node: &Node, parameters: &[ValueId]) -> bool {
        let row = &self.rows[row];
        matches!(node.op, Op::Binary(_))
            && row.activation.is_none()
            && !parameters.is_empty()
            && (row.formula.is_empty() || row.name == module(parameters, self.graph))
    }
}

/// The module that has a parameter.
fn module<'a>(parameters: &[ValueId], graph: &'a Graph) -> &'a str {
    let named = parameters
        .iter()
        .find_map(|&id| graph.value(id).parameter());
    let path = named.and_then(|(name, _)| name.rsplit_once('.'));
    path.map_or("", |(module, _)| module)
}

/// Whether a node's inputs beyond the first are weights.
fn has_weights(op: &Op) -> bool {
    matches!(
        op,
        Op::Conv2d(_) | Op::BatchNorm { .. } | Op::Linear | Op::RadialBasis
    )
}

/// For every value that does not depend on the input, the parameters and constants in it.
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

/// What a node adds to its row beside parameters.
struct NodeCost {
    /// For the whole batch.
    macs: u64,
    /// For one image.
    connections: u64,
    /// Whether its output needs memory of its own.
    kept: bool,
}

fn cost(graph: &Graph, node: &Node, parameters: &[ValueId]) -> Result<NodeCost, CostError> {
    let shape = |place: usize| graph.shape(node.inputs[place]);
    let output = graph.shape(node.outputs[0]);
    let free = NodeCost {
        macs: 0,
        connections: 0,
        kept: false,
    };
    let batch = output.first().copied().unwrap_or(1) as u64;
    let kept = |cost: Cost, times: u64| {
        let overflow = CostError::Overflow {
            quantity: "multiply-adds",
        };
        Ok(NodeCost {
            macs: cost.macs.checked_mul(times).ok_or(overflow)?,
            connections: cost.connections,
            kept: true,
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
            kept(convolution.cost([height, width])?, batch)
        }
        (Op::Linear, &[.., outputs]) => {
            let inputs = shape(1)[0];
            let rows: usize = output[..output.len() - 1].iter().product();
            kept(
                cost::linear(inputs, outputs, node.inputs.len() > 2)?,
                rows as u64,
            )
        }
        (Op::RadialBasis, &[_, classes]) => kept(cost::radial_basis(shape(1)[1], classes)?, batch),
        (
            Op::MaxPool2d { window, .. } | Op::AvgPool2d { window, .. },
            &[_, channels, height, width],
        ) => kept(cost::pool(channels, window.kernel, [height, width])?, batch),
        (Op::AdaptiveAvgPool2d { output: parts }, &[_, channels, ..]) => {
            let &[.., height, width] = shape(0) else {
                return Ok(free);
            };
            let links = [
                channels as u64,
                adaptive_links(height, parts[0]),
                adaptive_links(width, parts[1]),
            ];
            let links = links.iter().try_fold(1u64, |n, &axis| n.checked_mul(axis));
            Ok(NodeCost {
                connections: links.ok_or(CostError::Overflow {
                    quantity: "connections",
                })?,
                kept: true,
                ..free
            })
        }
        (Op::LocalResponseNorm { .. } | Op::Mean { .. } | Op::Matmul | Op::Other { .. }, _) => {
            Ok(NodeCost { kept: true, ..free })
        }
        // A bias that is no part of a convolution: one link into each unit.
        (Op::Binary(Arithmetic::Add), _) if !parameters.is_empty() => Ok(NodeCost {
            connections: output[1..].iter().product::<usize>() as u64,
            ..free
        }),
        _ => Ok(free),
    }
}

/// Links along one axis of `length` that is divided into so many parts, which overlap where they
/// do not divide it.
fn adaptive_links(length: usize, parts: usize) -> u64 {
    (0..parts)
        .map(|part| ((part + 1) * length).div_ceil(parts) - part * length / parts)
        .sum::<usize>() as u64
}
