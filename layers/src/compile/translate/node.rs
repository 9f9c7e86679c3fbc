//! Translation of each node to a layer.

use receptive_kernels::cpu::{Activation, PoolWindow};

use super::data_movement::{is_full_range, keeps_order};
use super::refusal::refusal;
use super::translation::{Translation, dims, unsupported};
use crate::compile::error::{CompileError, Problem};
use crate::compile::net::{LayerOp, Net};
use crate::compile::values::Values;
use crate::compile::weights::{Affine, PerChannel};
use crate::graph::{Arithmetic, Graph, Node, Op, Pool2d};

/// Translates `graph` to layers. `values` holds the elements of the graph's constant values.
///
/// # Errors
///
/// [`CompileError::Input`] for an unsupported input, [`CompileError::Layer`] for an unsupported
/// operation or output.
pub(crate) fn translate(graph: &Graph, values: &mut Values) -> Result<Net, CompileError> {
    let mut translation = Translation::new(graph)?;
    for node in &graph.nodes {
        if !translation.constants.contains(&node.outputs[0]) {
            let added = translation.node(node, values);
            added.map_err(|problem| problem.in_layer(&node.name))?;
        }
    }
    for id in &graph.outputs {
        let map = translation.maps.get(id).copied();
        let (Some(map), Some(shape)) = (map, dims(graph.shape(*id))) else {
            let problem = Problem::unsupported(
                format!("an output {:?}", graph.shape(*id)),
                "maps or vectors that depend on the input",
            );
            return Err(problem.in_layer("output"));
        };
        translation.net.outputs.push(map);
        translation.net.output_shapes.push(shape);
    }
    translation.net.remove_dead_layers();
    Ok(translation.net)
}

impl Translation<'_> {
    fn node(&mut self, node: &Node, values: &mut Values) -> Result<(), Problem> {
        let graph = self.graph;
        let output = graph.shape(node.outputs[0]);
        let mut axes = output.iter();
        let elements = axes.try_fold(1usize, |product, &axis| product.checked_mul(axis));
        if elements.is_none_or(|elements| elements == 0 || elements as u64 > MAX_ELEMENTS) {
            return Err(Problem::unsupported(
                format!("{} to {output:?}", node.op.word()),
                "an output of 1 to 2^40 elements",
            ));
        }
        match &node.op {
            Op::Reshape => self.alias(node),
            Op::Permute { axes } if keeps_order(graph.shape(node.inputs[0]), axes) => {
                self.alias(node)
            }
            Op::Conv2d(conv) => self.convolution(node, conv),
            Op::Linear => self.linear(node),
            Op::BatchNorm { epsilon } => {
                let &[_, scale, shift, mean, variance] = &node.inputs[..] else {
                    return Err(unsupported(node));
                };
                self.check_constant_weights(node)?;
                let affine = Affine::Norm {
                    scale,
                    shift,
                    mean,
                    variance,
                    epsilon: *epsilon,
                };
                let x = self.unreshaped_operand(node, 0)?;
                self.push_elementwise(node, LayerOp::Affine(vec![affine]), vec![x]);
                Ok(())
            }
            Op::MaxPool2d { window, dilation } => {
                let window = pool_window(window, *dilation);
                let x = self.unreshaped_operand(node, 0)?;
                self.push_layer(node, LayerOp::MaxPool(window), vec![x])
            }
            Op::AvgPool2d {
                window,
                count_include_pad,
            } => {
                let op = LayerOp::MeanPool {
                    window: pool_window(window, [1, 1]),
                    count_include_pad: *count_include_pad,
                };
                let x = self.unreshaped_operand(node, 0)?;
                self.push_layer(node, op, vec![x])
            }
            Op::AdaptiveAvgPool2d { .. } => {
                let x = self.unreshaped_operand(node, 0)?;
                self.push_layer(node, LayerOp::AdaptiveMean, vec![x])
            }
            Op::Mean { axes } if axes.iter().all(|axis| [2, 3].contains(axis)) => {
                let x = self.unreshaped_operand(node, 0)?;
                let [_, height, width] = self.net.shape(x);
                let side = |axis, length| if axes.contains(&axis) { length } else { 1 };
                let kernel = [side(2, height), side(3, width)];
                let op = LayerOp::MeanPool {
                    window: PoolWindow {
                        kernel,
                        stride: kernel,
                        padding: [0, 0],
                        dilation: [1, 1],
                    },
                    count_include_pad: true,
                };
                self.push_layer(node, op, vec![x])
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
                let x = self.unreshaped_operand(node, 0)?;
                self.push_elementwise(node, op, vec![x]);
                Ok(())
            }
            Op::RadialBasis => {
                self.check_constant_weights(node)?;
                let x = self.operand(node, 0)?;
                let op = LayerOp::RadialBasis {
                    centers: node.inputs[1],
                    inputs: self.net.shape(x).iter().product(),
                };
                self.push_layer(node, op, vec![x])
            }
            Op::Relu => self.push_activation(node, Activation::Relu),
            Op::Clamp { min, max } => {
                // A program is stored as JSON, which cannot represent infinities.
                let bound = |x: f64| (x as f32).clamp(f32::MIN, f32::MAX);
                let (low, high) = (bound(*min), bound(*max));
                self.push_activation(node, Activation::Clamp { low, high })
            }
            Op::Tanh => self.push_activation(node, Activation::Tanh),
            Op::Sigmoid => self.push_activation(node, Activation::Sigmoid),
            Op::Softmax { axis: 1 } => {
                let x = self.unreshaped_operand(node, 0)?;
                self.push_elementwise(node, LayerOp::Softmax, vec![x]);
                Ok(())
            }
            Op::Scalar(arithmetic, number) => {
                let affine = match arithmetic {
                    Arithmetic::Add => Affine::Shift(PerChannel::Number(*number)),
                    Arithmetic::Sub => Affine::Shift(PerChannel::Number(-number)),
                    Arithmetic::Mul => Affine::Scale(PerChannel::Number(*number)),
                    Arithmetic::Div => Affine::Scale(PerChannel::Number(1.0 / number)),
                    Arithmetic::Min | Arithmetic::Max | Arithmetic::Pow => {
                        return Err(refusal(graph, node));
                    }
                };
                let x = self.operand(node, 0)?;
                self.push_elementwise(node, LayerOp::Affine(vec![affine]), vec![x]);
                Ok(())
            }
            Op::Binary(arithmetic) => self.binary(node, *arithmetic),
            Op::Concat { axis: 1 } => self.concatenation(node, values),
            Op::Slice { ranges } if is_full_range(ranges.first(), self.batch) => {
                self.slice(node, ranges)
            }
            Op::Select { axis: 1 } => self.selection(node, values),
            Op::Pad { padding, value } if *value == 0.0 && padding.first() == Some(&[0, 0]) => {
                self.padding(node, padding)
            }
            _ => Err(refusal(graph, node)),
        }
    }
}

/// Elements of the largest map that can be compiled. Sizes of such maps do not overflow.
const MAX_ELEMENTS: u64 = 1 << 40;

fn pool_window(pool: &Pool2d, dilation: [usize; 2]) -> PoolWindow {
    PoolWindow {
        kernel: pool.kernel,
        stride: pool.stride,
        padding: pool.padding.map(|[before, _]| before),
        dilation,
    }
}
