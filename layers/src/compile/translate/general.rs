//! Translation of reductions, products of tensors, interpolation and softmax over any axes.

use receptive_kernels::cpu::{Axis, ContractAxis, PoolWindow, Reduction};

use super::axes::{listed, merged, stepped, strides};
use super::data_movement::around;
use super::translation::{Translation, unsupported};
use crate::compile::error::Problem;
use crate::compile::net::{LayerOp, MapId, Rearrangement, Taps};
use crate::graph::{self, Node};

impl Translation<'_> {
    /// Translates a reduction over any axes of an image.
    pub fn reduction(
        &mut self,
        node: &Node,
        reduction: graph::Reduction,
        axes: &[usize],
    ) -> Result<(), Problem> {
        let id = node.inputs[0];
        let shape = self.image_shape(id);
        let x = self.operand(node, 0)?;
        let pixels = self.is_map(id) && shape.len() == 4 && axes.iter().all(|&axis| axis >= 2);
        if pixels && let Some(op) = self.pool_of(&shape, reduction, axes) {
            let x = self.map_operand(node, 0)?;
            return self.push_layer(node, op, vec![x]);
        }
        let axis = |axis: usize| stepped(shape[axis], strides(&shape)[axis]);
        let part = |reduced: bool| -> Vec<Axis> {
            let all = (0..shape.len()).filter(|index| axes.contains(index) == reduced);
            merged(all.map(axis).collect())
        };
        let op = LayerOp::Reduce {
            reduction: kernel(reduction),
            outer: part(false),
            inner: part(true),
        };
        self.push_layer(node, op, vec![x])
    }

    /// Returns the pool that computes the mean or maximum over rows and columns.
    fn pool_of(
        &self,
        shape: &[usize],
        reduction: graph::Reduction,
        axes: &[usize],
    ) -> Option<LayerOp> {
        let side = |axis: usize| if axes.contains(&axis) { shape[axis] } else { 1 };
        let kernel = [side(2), side(3)];
        let window = PoolWindow {
            kernel,
            stride: kernel,
            padding: [0, 0],
            dilation: [1, 1],
        };
        match reduction {
            graph::Reduction::Mean => Some(LayerOp::MeanPool {
                window,
                count_include_pad: true,
            }),
            graph::Reduction::Max => Some(LayerOp::MaxPool(window)),
            _ => None,
        }
    }

    /// Translates a product of matrices that may both depend on the input, with broadcast leading axes.
    pub fn product(&mut self, node: &Node) -> Result<(), Problem> {
        let &[left, right] = &node.inputs[..] else {
            return Err(unsupported(node));
        };
        let [a, b] = [left, right].map(|id| self.image_shape(id));
        let output = self.image_shape(node.outputs[0]);
        let rank = output.len();
        // The images are the first axis of both operands, or the matrices are the same for all.
        let per_image = [(left, &a), (right, &b)].into_iter().all(|(id, shape)| {
            self.batch.is_none()
                || match self.constants.contains(&id) {
                    true => shape.len() < rank || shape[0] == 1,
                    false => shape.len() == rank && (rank > 2 || id == left),
                }
        });
        let (&[.., inner], &[.., found, _], true) = (&a[..], &b[..], per_image) else {
            return Err(unsupported(node));
        };
        if inner != found || a.len() < 2 || a.len().max(b.len()) != rank {
            return Err(unsupported(node));
        }
        let x = self.stored_operand(node, 0)?;
        let y = self.stored_operand(node, 1)?;
        let [a_steps, b_steps] = [strides(&a), strides(&b)];
        // The step of an operand along an axis of the output; 0 where it is broadcast.
        let step = |shape: &[usize], steps: &[usize], axis: usize| match (axis + shape.len())
            .checked_sub(rank)
        {
            Some(own) if shape[own] > 1 => steps[own] as i64,
            _ => 0,
        };
        let outer = (0..rank).map(|axis| ContractAxis {
            length: output[axis],
            steps: match axis {
                _ if axis == rank - 2 => [step(&a, &a_steps, axis), 0],
                _ if axis == rank - 1 => [0, step(&b, &b_steps, axis)],
                _ => [step(&a, &a_steps, axis), step(&b, &b_steps, axis)],
            },
        });
        let op = LayerOp::Contract {
            outer: outer.filter(|axis| axis.length > 1).collect(),
            inner: vec![ContractAxis {
                length: inner,
                steps: [1, b_steps[b.len() - 2] as i64],
            }],
        };
        self.push_layer(node, op, vec![x, y])
    }

    /// Translates interpolation along an axis.
    pub fn interpolation(
        &mut self,
        node: &Node,
        axis: usize,
        taps: &[Vec<(usize, f64)>],
    ) -> Result<(), Problem> {
        let shape = self.image_shape(node.inputs[0]);
        let taps: Taps = (taps.iter())
            .map(|taps| {
                taps.iter()
                    .map(|&(at, weight)| (at, weight as f32))
                    .collect()
            })
            .collect();
        let same = |length: usize| -> Taps { (0..length).map(|at| vec![(at, 1.0)]).collect() };
        if self.is_map(node.inputs[0]) && shape.len() == 4 && axis >= 2 {
            let x = self.map_operand(node, 0)?;
            let op = match axis {
                2 => LayerOp::Resample {
                    rows: taps,
                    columns: same(shape[3]),
                },
                _ => LayerOp::Resample {
                    rows: same(shape[2]),
                    columns: taps,
                },
            };
            return self.push_layer(node, op, vec![x]);
        }
        let [outer, inner] = around(&shape, axis);
        let length = taps.len();
        let x = self.shaped_operand(node, 0, [outer, shape[axis], inner])?;
        let op = LayerOp::Resample {
            rows: taps,
            columns: same(inner),
        };
        let y = self.add(node, op, vec![x], [outer, length, inner]);
        self.finish(node, y);
        Ok(())
    }

    /// Translates softmax over any axis.
    pub fn softmax(&mut self, node: &Node, axis: usize) -> Result<(), Problem> {
        if axis == 1 && self.is_map(node.inputs[0]) {
            let x = self.map_operand(node, 0)?;
            self.push_elementwise(node, LayerOp::Softmax, vec![x]);
            return Ok(());
        }
        let shape = self.image_shape(node.inputs[0]);
        let x = self.operand(node, 0)?;
        let moved = self.axis_first(node, x, &shape, axis)?;
        let map = self.net.shape(moved);
        let y = self.add(node, LayerOp::Softmax, vec![moved], map);
        let y = self.axis_back(node, y, &shape, axis)?;
        self.finish(node, y);
        Ok(())
    }

    /// Returns `x` with zeros between its rows and columns, so that neighbours are `stride` apart.
    pub fn spread(&mut self, node: &Node, x: MapId, stride: [usize; 2]) -> Result<MapId, Problem> {
        let [channels, height, width] = self.net.shape(x);
        if stride == [1, 1] {
            return Ok(x);
        }
        let spread = |length: usize, stride: usize| {
            let len = (length - 1) * stride + 1;
            (0..len).map(move |at| at.is_multiple_of(stride).then_some(at / stride))
        };
        let axes = vec![
            stepped(channels, height * width),
            listed(spread(height, stride[0]), width),
            listed(spread(width, stride[1]), 1),
        ];
        let shape = [
            channels,
            (height - 1) * stride[0] + 1,
            (width - 1) * stride[1] + 1,
        ];
        self.rearrange(node, x, Rearrangement::new(0, axes), shape)
    }

    /// Whether every value of `node` that depends on the input has an entry of its first axis for each
    /// image, in the translation of one image.
    pub fn keeps_images(&self, node: &Node) -> bool {
        let Some(batch) = self.batch else {
            return true;
        };
        let dependent = node.inputs.iter().chain(&node.outputs);
        let mut dependent = dependent.filter(|id| !self.constants.contains(id));
        dependent.all(|&id| self.graph.shape(id).first() == Some(&batch))
    }
}

fn kernel(reduction: graph::Reduction) -> Reduction {
    use graph::Reduction as Graph;
    match reduction {
        Graph::Sum => Reduction::Sum,
        Graph::Mean => Reduction::Mean,
        Graph::Product => Reduction::Product,
        Graph::Max => Reduction::Max,
        Graph::Min => Reduction::Min,
        Graph::L1 => Reduction::L1,
        Graph::L2 => Reduction::L2,
        Graph::SumOfSquares => Reduction::SumOfSquares,
        Graph::LogSum => Reduction::LogSum,
        Graph::LogSumExp => Reduction::LogSumExp,
    }
}
