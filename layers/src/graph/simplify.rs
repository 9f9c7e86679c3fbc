//! Simplification of a recorded graph: removes operations that change nothing and operations that
//! no output depends on, and merges operations that form one layer.

use std::collections::HashMap;

use super::op::{Arithmetic, Op, Pool2d};
use super::structure::{Graph, Node};
use super::value::{Origin, Value, ValueId};

/// Reduces the number of nodes. The graph's outputs stay the same function of the input.
pub(super) fn simplify(graph: &mut Graph) {
    // A recording has the nodes of two runs, and the other run reads the same parameters.
    drop_dead(graph);
    linear_from_matmul(graph);
    merge_chains(graph);
    drop_identities(graph);
    drop_dead(graph);
}

impl Graph {
    /// Keeps the first of several equal constants, and of several nodes with equal operations and
    /// operands; the readers of the others read the first.
    pub(super) fn merge_duplicates(&mut self) {
        let mut first: HashMap<Vec<ValueId>, Vec<usize>> = HashMap::new();
        let mut replaced = self.equal_constants();
        let mut kept: Vec<Node> = Vec::new();
        for mut node in std::mem::take(&mut self.nodes) {
            for input in &mut node.inputs {
                *input = replaced.get(input).copied().unwrap_or(*input);
            }
            let candidates = first.entry(node.inputs.clone()).or_default();
            let equal = candidates.iter().map(|&index| &kept[index]);
            let equal = equal
                .filter(|_| !matches!(node.op, Op::Other { .. }))
                .find(|earlier| earlier.op == node.op && self.same_shapes(earlier, &node));
            match equal {
                Some(earlier) => {
                    let pairs = node.outputs.iter().zip(&earlier.outputs);
                    replaced.extend(pairs.map(|(&output, &earlier)| (output, earlier)));
                }
                None => {
                    candidates.push(kept.len());
                    kept.push(node);
                }
            }
        }
        self.nodes = kept;
        for output in &mut self.outputs {
            *output = replaced.get(output).copied().unwrap_or(*output);
        }
        drop_dead(self);
    }

    /// Returns, for each constant that equals an earlier constant, the earlier one.
    fn equal_constants(&self) -> HashMap<ValueId, ValueId> {
        let mut distinct: Vec<(ValueId, &Value)> = Vec::new();
        let mut equal = HashMap::new();
        for (id, value) in self.ids() {
            if value.origin != Origin::Constant || value.data.is_none() {
                continue;
            }
            let same = |(_, earlier): &&(ValueId, &Value)| {
                earlier.shape == value.shape
                    && earlier.dtype == value.dtype
                    && earlier.data == value.data
            };
            match distinct.iter().find(same) {
                Some((earlier, _)) => {
                    equal.insert(id, *earlier);
                }
                None => distinct.push((id, value)),
            }
        }
        equal
    }

    /// Whether the outputs of both nodes have the same shapes.
    fn same_shapes(&self, one: &Node, other: &Node) -> bool {
        let shapes = |node: &Node| -> Vec<&[usize]> {
            node.outputs.iter().map(|&id| self.shape(id)).collect()
        };
        shapes(one) == shapes(other)
    }
}

/// Replaces `x * weight + bias` by one [`Op::Linear`] if the weight and bias are parameters or
/// constants.
fn linear_from_matmul(graph: &mut Graph) {
    let producers = producers(graph);
    let core = |id: ValueId| graph.shape(id).iter().skip_while(|&&axis| axis == 1);
    // The id of a parameter or constant, possibly reshaped to have leading axes of length one.
    let constant = |mut id: ValueId| {
        if let Some(&node) = producers.get(&id)
            && graph.nodes[node].op == Op::Reshape
            && core(id).eq(core(graph.nodes[node].inputs[0]))
        {
            id = graph.nodes[node].inputs[0];
        }
        (graph.value(id).origin != Origin::Computed).then_some(id)
    };
    let uses = uses(graph);
    let readers = readers(graph);
    let mut changes = Vec::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        let is_product = match node.op {
            Op::Matmul => true,
            Op::Linear => node.inputs.len() == 2,
            _ => false,
        };
        let weight = node.inputs.get(1).filter(|_| is_product);
        let weight = weight.and_then(|&id| constant(id));
        let Some((weight, &[_, outputs])) = weight.map(|id| (id, graph.shape(id))) else {
            continue;
        };
        let product = node.outputs[0];
        let add = readers.get(&product).map(|&add| (add, &graph.nodes[add]));
        let add = add.filter(|(_, add)| {
            let adds = add.op == Op::Binary(Arithmetic::Add);
            adds && uses[&product] == 1 && graph.shape(add.outputs[0]) == graph.shape(product)
        });
        let bias = add.and_then(|(index, add)| {
            let bias = add.inputs.iter().filter_map(|&id| constant(id));
            let is_bias = |&id: &ValueId| {
                let shape = graph.shape(id);
                shape.last() == Some(&outputs) && graph.value(id).len() == outputs
            };
            Some((index, bias.into_iter().find(is_bias)?))
        });
        changes.push(match bias {
            Some((add, bias)) => (add, vec![node.inputs[0], weight, bias]),
            None => (index, vec![node.inputs[0], weight]),
        });
    }
    let mut reshaped: HashMap<ValueId, ValueId> = HashMap::new();
    for (index, mut inputs) in changes {
        if let Some(bias) = inputs.get_mut(2)
            && graph.shape(*bias).len() != 1
        {
            let values = &mut graph.values;
            *bias = *reshaped.entry(*bias).or_insert_with(|| {
                let value = &values[bias.0];
                values.push(value.reshaped(vec![value.len()]));
                ValueId(values.len() - 1)
            });
        }
        let node = &mut graph.nodes[index];
        (node.op, node.inputs) = (Op::Linear, inputs);
    }
}

/// Merges two consecutive nodes if no other node reads the first one's output.
fn merge_chains(graph: &mut Graph) {
    let uses = uses(graph);
    let mut producers = HashMap::new();
    for index in 0..graph.nodes.len() {
        let node = &graph.nodes[index];
        let input = node.inputs.first().copied();
        let before = input
            .filter(|input| uses[input] == 1)
            .and_then(|input| producers.get(&input).copied())
            .map(|before: usize| &graph.nodes[before]);
        let merged = before.and_then(|before| {
            let op = merge(&before.op, &node.op)?;
            Some((op, before.inputs.clone()))
        });
        if let Some((op, inputs)) = merged {
            graph.nodes[index].op = op;
            graph.nodes[index].inputs = inputs;
        }
        let node = &mut graph.nodes[index];
        if let Op::Mean { axes } = &node.op
            && axes[..] == [2, 3]
            && graph.values[node.inputs[0].0].shape.len() == 4
        {
            node.op = Op::AdaptiveAvgPool2d { output: [1, 1] };
        }
        if let Op::Clamp { min, max } = node.op
            && (min, max) == (0.0, f64::INFINITY)
        {
            node.op = Op::Relu;
        }
        for &output in &node.outputs {
            producers.insert(output, index);
        }
    }
}

/// Returns the single operation that equals `first` followed by `second`, if there is one.
fn merge(first: &Op, second: &Op) -> Option<Op> {
    let bounds = |op: &Op| match *op {
        Op::Relu => Some((0.0, f64::INFINITY)),
        Op::Clamp { min, max } => Some((min, max)),
        _ => None,
    };
    match (first, second) {
        (Op::Reshape, Op::Reshape) => Some(Op::Reshape),
        (Op::Mean { axes }, Op::Mean { axes: more }) => {
            let mut axes: Vec<usize> = axes.iter().chain(more).copied().collect();
            axes.sort_unstable();
            axes.dedup();
            Some(Op::Mean { axes })
        }
        _ => {
            let ((low, high), (min, max)) = (bounds(first)?, bounds(second)?);
            Some(Op::Clamp {
                min: low.max(min).min(max),
                max: high.max(min).min(max),
            })
        }
    }
}

/// Removes the nodes whose output equals their input; their readers read the input instead.
fn drop_identities(graph: &mut Graph) {
    let mut replaced: HashMap<ValueId, ValueId> = HashMap::new();
    let nodes = std::mem::take(&mut graph.nodes);
    for mut node in nodes {
        for input in &mut node.inputs {
            *input = replaced.get(input).copied().unwrap_or(*input);
        }
        match node.outputs[..] {
            [output] if is_identity(graph, &node) => {
                replaced.insert(output, node.inputs[0]);
            }
            _ => graph.nodes.push(node),
        }
    }
    for output in &mut graph.outputs {
        *output = replaced.get(output).copied().unwrap_or(*output);
    }
}

fn is_identity(graph: &Graph, node: &Node) -> bool {
    let [input] = node.inputs[..] else {
        return false;
    };
    let same_shape = graph.shape(input) == graph.shape(node.outputs[0]);
    match &node.op {
        Op::Reshape | Op::Expand | Op::Concat { .. } | Op::AdaptiveAvgPool2d { .. } => same_shape,
        // A slice has positive steps, so a range as long as its axis is the whole axis.
        Op::Slice { .. } | Op::Pad { .. } => same_shape,
        Op::Permute { axes } => axes.iter().copied().eq(0..axes.len()),
        Op::MaxPool2d { window, .. } => is_single_pixel(window),
        Op::AvgPool2d { window, .. } => is_single_pixel(window),
        Op::Scalar(Arithmetic::Mul | Arithmetic::Div, factor) => *factor == 1.0,
        _ => false,
    }
}

fn is_single_pixel(pool: &Pool2d) -> bool {
    let Pool2d {
        kernel,
        stride,
        padding,
        ceil: _,
    } = pool;
    (*kernel, *stride, *padding) == ([1, 1], [1, 1], [[0; 2]; 2])
}

/// Removes the nodes that no output depends on, and the values that no remaining node reads or
/// writes.
pub(super) fn drop_dead(graph: &mut Graph) {
    let mut needed = vec![false; graph.values.len()];
    for output in &graph.outputs {
        needed[output.0] = true;
    }
    let mut nodes = Vec::new();
    for node in std::mem::take(&mut graph.nodes).into_iter().rev() {
        if node.outputs.iter().any(|output| needed[output.0]) {
            for id in node.inputs.iter().chain(&node.outputs) {
                needed[id.0] = true;
            }
            nodes.push(node);
        }
    }
    nodes.reverse();
    graph.nodes = nodes;

    needed[graph.input.0] = true;
    let mut new_id = vec![ValueId(0); needed.len()];
    let mut kept = Vec::new();
    for (index, value) in std::mem::take(&mut graph.values).into_iter().enumerate() {
        if needed[index] {
            new_id[index] = ValueId(kept.len());
            kept.push(value);
        }
    }
    graph.values = kept;
    let renumber = |id: &mut ValueId| *id = new_id[id.0];
    renumber(&mut graph.input);
    graph.outputs.iter_mut().for_each(renumber);
    for node in &mut graph.nodes {
        node.inputs.iter_mut().for_each(renumber);
        node.outputs.iter_mut().for_each(renumber);
    }
}

/// Returns the index of the node that writes each value.
fn producers(graph: &Graph) -> HashMap<ValueId, usize> {
    let nodes = graph.nodes.iter().enumerate();
    nodes
        .flat_map(|(index, node)| node.outputs.iter().map(move |&output| (output, index)))
        .collect()
}

/// Returns the last node that reads each value.
fn readers(graph: &Graph) -> HashMap<ValueId, usize> {
    let nodes = graph.nodes.iter().enumerate();
    nodes
        .flat_map(|(index, node)| node.inputs.iter().map(move |&input| (input, index)))
        .collect()
}

/// Returns the number of reads of each value, by nodes and as an output of the graph.
fn uses(graph: &Graph) -> HashMap<ValueId, usize> {
    let mut uses: HashMap<ValueId, usize> = graph.ids().map(|(id, _)| (id, 0)).collect();
    let read = graph.nodes.iter().flat_map(|node| &node.inputs);
    for id in read.chain(&graph.outputs) {
        *uses.entry(*id).or_default() += 1;
    }
    uses
}
