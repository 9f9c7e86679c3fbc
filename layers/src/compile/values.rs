//! Elements of the constant values: parameters, constants, and everything computed from them.

use std::collections::{HashMap, HashSet};

use super::constant::{self, Array};
use super::draw::Draw;
use super::error::Problem;
use crate::graph::{Graph, Node, Op, Origin, ValueData, ValueId};

/// The constant values of a graph, which do not depend on the input. Outputs of nodes are computed
/// on demand. The elements of a value are freed at its last read.
pub(super) struct Values {
    graph: Graph,
    /// Random generator for values without elements.
    draw: Option<Draw>,
    /// The node that computes each value.
    producers: HashMap<ValueId, usize>,
    /// Remaining reads of each parameter and constant; no entry means any number.
    remaining_reads: HashMap<ValueId, usize>,
    /// Variances of batch norms, whose random values must be positive.
    variances: HashSet<ValueId>,
}

impl Values {
    /// Creates the values of `graph`, with random elements from `draw` for values without elements.
    /// Every value can be read any number of times until [`expect_reads`](Self::expect_reads)
    /// limits the reads.
    pub fn new(graph: Graph, draw: Option<Draw>) -> Self {
        let mut producers = HashMap::new();
        let mut variances = HashSet::new();
        for (index, node) in graph.nodes.iter().enumerate() {
            producers.extend(node.outputs.iter().map(|&output| (output, index)));
            if let (Op::BatchNorm { .. }, Some(&variance)) = (&node.op, node.inputs.get(4)) {
                variances.insert(variance);
            }
        }
        Self {
            graph,
            draw,
            producers,
            remaining_reads: HashMap::new(),
            variances,
        }
    }

    /// Announces that exactly `sources` will be read from now on, a value once per occurrence. The
    /// elements of all other values are freed.
    pub fn expect_reads(&mut self, sources: &[ValueId]) {
        self.remaining_reads.clear();
        let mut open = sources.to_vec();
        while let Some(id) = open.pop() {
            match self.producers.get(&id) {
                Some(&node) => open.extend(&self.graph.nodes[node].inputs),
                None => *self.remaining_reads.entry(id).or_default() += 1,
            }
        }
        let ids: Vec<ValueId> = self.graph.ids().map(|(id, _)| id).collect();
        for id in ids {
            if !self.remaining_reads.contains_key(&id) {
                self.graph.value_mut(id).data = None;
            }
        }
    }

    /// Returns the elements in row-major order.
    pub fn floats(&mut self, id: ValueId) -> Result<Vec<f32>, Problem> {
        if self.producers.contains_key(&id) {
            let array = self.array(id)?;
            return Ok(array.values.into_iter().map(|x| x as f32).collect());
        }
        let is_last_read = self.remaining_reads.get_mut(&id).is_some_and(|reads| {
            *reads = reads.saturating_sub(1);
            *reads == 0
        });
        let name = self.name(id);
        let value = self.graph.value_mut(id);
        let len = value.len();
        let data = if is_last_read {
            value.data.take()
        } else {
            value.data.clone()
        };
        let floats = match data {
            Some(ValueData::Elements(data)) => {
                data.try_into_vec_as::<f32>()
                    .map_err(|_| Problem::NoValues {
                        value: name.clone(),
                    })?
            }
            Some(ValueData::Fill(number)) => vec![number as f32; len],
            None => {
                let draw = self.draw.ok_or_else(|| Problem::NoValues {
                    value: name.clone(),
                })?;
                self.random(id, draw.at(id.index()))
            }
        };
        if floats.len() != len {
            return Err(Problem::Size {
                value: name,
                found: floats.len(),
                expected: len,
            });
        }
        Ok(floats)
    }

    /// Returns the transpose, `[out, in]`, of a weight `[in, out]`.
    pub fn transposed(
        &mut self,
        id: ValueId,
        [ins, outs]: [usize; 2],
    ) -> Result<Vec<f32>, Problem> {
        if let (Some(draw), None) = (self.draw, &self.graph.value(id).data)
            && !self.producers.contains_key(&id)
        {
            // Independent random values need no transpose.
            return Ok(draw.at(id.index()).he(ins * outs, ins));
        }
        let columns = self.floats(id)?;
        let mut rows = vec![0.0; columns.len()];
        // Transposes blocks of 16 columns, which fit in the cache.
        for first in (0..ins).step_by(16) {
            let last = (first + 16).min(ins);
            for out in 0..outs {
                for i in first..last {
                    rows[out * ins + i] = columns[i * outs + out];
                }
            }
        }
        Ok(rows)
    }

    /// Returns the elements broadcast to `shape`.
    pub fn broadcast(&mut self, id: ValueId, shape: &[usize]) -> Result<Vec<f32>, Problem> {
        let array = self.array(id)?;
        if array.values.len() == shape.iter().product::<usize>() {
            return Ok(array.values.into_iter().map(|x| x as f32).collect());
        }
        let elements = match array.values[..] {
            [one] => vec![one; shape.iter().product()],
            _ => array.expand(shape),
        };
        Ok(elements.into_iter().map(|x| x as f32).collect())
    }

    /// Returns `len` elements in double precision; a value of one element is broadcast.
    pub fn vector(&mut self, id: ValueId, len: usize) -> Result<Vec<f64>, Problem> {
        let values = self.array(id)?.values;
        match values[..] {
            [one] => Ok(vec![one; len]),
            _ if values.len() == len => Ok(values),
            _ => Err(Problem::Size {
                value: self.name(id),
                found: values.len(),
                expected: len,
            }),
        }
    }

    /// Returns the elements with their shape, in double precision.
    pub fn array(&mut self, id: ValueId) -> Result<Array, Problem> {
        let shape = self.graph.shape(id).to_vec();
        let Some(&index) = self.producers.get(&id) else {
            let values = self.floats(id)?;
            return Ok(Array {
                shape,
                values: values.into_iter().map(f64::from).collect(),
            });
        };
        let Node { op, inputs, .. } = self.graph.nodes[index].clone();
        let inputs = inputs
            .iter()
            .map(|&input| self.array(input))
            .collect::<Result<Vec<_>, _>>()?;
        constant::evaluate(&op, inputs, shape)
    }

    /// Draws random elements whose distribution suits the value: He initialization for weights,
    /// positive variances, scales near 1, and small biases.
    fn random(&self, id: ValueId, draw: Draw) -> Vec<f32> {
        let value = self.graph.value(id);
        let len = value.len();
        match value.shape[..] {
            _ if self.variances.contains(&id) => draw.between(len, 1.0, 2.0),
            [_, ref fan_in @ ..] if fan_in.len() == 3 => draw.he(len, fan_in.iter().product()),
            [fan_in, _] => draw.he(len, fan_in),
            _ if self.name(id).ends_with("weight") => draw.between(len, 0.75, 1.25),
            _ => draw.between(len, -0.1, 0.1),
        }
    }

    /// Returns the name of a value in error messages.
    fn name(&self, id: ValueId) -> String {
        match &self.graph.value(id).origin {
            Origin::Parameter { name, .. } => name.clone(),
            Origin::Constant => format!("constant {}", id.index()),
            _ => format!("value {}", id.index()),
        }
    }
}
