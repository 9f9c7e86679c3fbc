//! Translation of each node to a layer.

use receptive_kernels::cpu::{Activation, BinaryOp, Border, Function, PoolWindow};

use super::axes::stepped;
use super::data_movement::finite;
use super::refusal::refusal;
use super::translation::{Translation, unsupported};
use crate::compile::error::{CompileError, Problem};
use crate::compile::net::{LayerOp, MapId, Net, Rearrangement};
use crate::compile::values::Values;
use crate::compile::weights::{Affine, PerChannel};
use crate::graph::{self, Arithmetic, Graph, Node, Op, Pool2d, Reduction, ValueId};

/// A graph as layers.
pub(crate) struct Translated {
    pub net: Net,
    /// Whether an image of the network is one entry of the first axis of the input, rather than the whole
    /// input.
    pub per_image: bool,
}

/// Translates `graph` to layers: of each image if the operations keep images apart, else of the whole
/// input. `values` holds the elements of the graph's constant values.
///
/// # Errors
///
/// [`CompileError::Input`] for an unsupported input, [`CompileError::Layer`] for an unsupported
/// operation or output.
pub(crate) fn translate(graph: &Graph, values: &mut Values) -> Result<Translated, CompileError> {
    let each = translate_as(graph, values, true);
    if graph.any_batch || each.is_ok() {
        return each;
    }
    // The error of the whole input would name the wrong operation.
    translate_as(graph, values, false).or(each)
}

fn translate_as(
    graph: &Graph,
    values: &mut Values,
    per_image: bool,
) -> Result<Translated, CompileError> {
    let mut translation = Translation::new(graph, per_image)?;
    for node in &graph.nodes {
        if !translation.constants.contains(&node.outputs[0]) {
            let added = translation.node(node, values);
            added.map_err(|problem| problem.in_layer(&node.name))?;
        }
    }
    for &id in &graph.outputs {
        let Some(&map) = translation.maps.get(&id) else {
            let problem = Problem::unsupported(
                format!(
                    "an output {:?} that is the same for every input",
                    graph.shape(id)
                ),
                "outputs that depend on the input",
            );
            return Err(problem.in_layer("output"));
        };
        translation.net.outputs.push(map);
        let shape = translation.map_shape(id);
        translation.net.output_shapes.push(shape);
    }
    translation.net.remove_dead_layers();
    Ok(Translated {
        net: translation.net,
        per_image,
    })
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
        if !self.keeps_images(node) {
            return Err(Problem::unsupported(
                format!("{} to {output:?}", node.op.word()),
                "a tensor whose first axis is the batch",
            ));
        }
        let layers = self.net.layers.len();
        self.layer(node, values).or_else(|problem| {
            self.net.layers.truncate(layers);
            // Layers of channels, rows and columns compute each image by itself.
            match self.batch {
                None => self.each_image(node, values).ok_or(problem)?,
                Some(_) => Err(problem),
            }
        })
    }

    /// Translates a node whose operand has the images as its first axis, in a network of one image: a
    /// layer for each of them. `None` if the operand or the output has another first axis, or another
    /// operand depends on the input.
    fn each_image(&mut self, node: &Node, values: &mut Values) -> Option<Result<(), Problem>> {
        let (&x, weights) = node.inputs.split_first()?;
        let y = *node.outputs.first()?;
        let images = *self.graph.shape(x).first()?;
        let others = weights.iter().all(|id| self.constants.contains(id));
        if images < 2 || self.graph.shape(y).first() != Some(&images) || !others {
            return None;
        }
        Some(self.apart(node, values, [x, y], images))
    }

    fn apart(
        &mut self,
        node: &Node,
        values: &mut Values,
        [x, y]: [ValueId; 2],
        images: usize,
    ) -> Result<(), Problem> {
        let whole = self.operand(node, 0)?;
        self.batch = Some(images);
        let shape = self.map_shape(x);
        let len: usize = shape.iter().product();
        let mut outputs = Vec::new();
        let mut result = Ok(());
        for image in 0..images {
            let copy = Rearrangement::new(image * len, vec![stepped(len, 1)]);
            let part = self.rearrange(node, whole, copy, shape);
            result = part.and_then(|part| {
                self.maps.insert(x, part);
                self.layer(node, values)
            });
            if result.is_err() {
                break;
            }
            let output = self.maps[&y];
            outputs.push(self.shaped(node, output, self.map_shape(y)));
        }
        let [channels, height, width] = self.map_shape(y);
        self.batch = None;
        self.maps.insert(x, whole);
        result?;
        let joined = [images * channels, height, width];
        let joined = self.add(node, LayerOp::Concat, outputs, joined);
        self.finish(node, joined);
        Ok(())
    }

    /// Translates the operation of a node to a layer.
    fn layer(&mut self, node: &Node, values: &mut Values) -> Result<(), Problem> {
        let graph = self.graph;
        match &node.op {
            Op::Reshape => self.alias(node),
            Op::Permute { axes } if self.batch.is_none() || axes.first() == Some(&0) => {
                self.permutation(node, axes)
            }
            Op::Expand => {
                let y = self.broadcast(node, 0, &self.image_shape(node.outputs[0]))?;
                self.finish(node, y);
                Ok(())
            }
            Op::ConvTranspose2d(conv) => self.transposed_convolution(node, conv),
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
                // Of more than two axes after the channels, all but the last are the rows.
                let x = match self.image_shape(node.inputs[0])[..] {
                    [1, _, _, _, _, ..] => self.stored_operand(node, 0)?,
                    _ => self.map_operand(node, 0)?,
                };
                self.push_elementwise(node, LayerOp::Affine(vec![affine]), vec![x]);
                Ok(())
            }
            Op::MaxPool2d { window, dilation } => {
                let window = pool_window(window, *dilation);
                let x = self.planes_operand(node)?;
                self.push_planes(node, LayerOp::MaxPool(window), x)
            }
            Op::AvgPool2d {
                window,
                count_include_pad,
            } => self.mean_pool(node, window, *count_include_pad),
            Op::AdaptiveAvgPool2d { .. } => {
                let x = self.planes_operand(node)?;
                self.push_planes(node, LayerOp::AdaptiveMean, x)
            }
            Op::Mean { axes } => self.reduction(node, Reduction::Mean, axes),
            Op::Reduce { reduction, axes } => self.reduction(node, *reduction, axes),
            Op::Matmul => self.product(node),
            Op::Resample { axis, taps } if self.batch.is_none() || *axis > 0 => {
                self.interpolation(node, *axis, taps)
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
                let x = self.map_operand(node, 0)?;
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
                let (low, high) = (finite(*min), finite(*max));
                self.push_activation(node, Activation::Clamp { low, high })
            }
            Op::Tanh => self.push_activation(node, Activation::Tanh),
            Op::Sigmoid => self.push_activation(node, Activation::Sigmoid),
            Op::Function(function) => self.function(node, *function),
            Op::Prelu => self.binary_of_tensors(node, BinaryOp::Prelu),
            Op::Softmax { axis } if self.batch.is_none() || *axis > 0 => self.softmax(node, *axis),
            Op::Scalar(arithmetic, number) => self.scalar(node, *arithmetic, *number),
            Op::Binary(arithmetic) => self.binary(node, *arithmetic),
            Op::Concat { axis } if self.batch.is_none() || *axis > 0 => {
                self.concatenation(node, *axis, values)
            }
            Op::Slice { ranges } => self.slice(node, ranges),
            Op::Select { axis } if self.batch.is_none() || *axis > 0 => {
                self.selection(node, *axis, values)
            }
            Op::Pad { padding, value }
                if self.batch.is_none() || padding.first() == Some(&[0, 0]) =>
            {
                self.padding(node, padding, *value)
            }
            _ => Err(refusal(graph, node)),
        }
    }

    /// Translates the mean of each window. Padding that counts, and differs between the sides, is added by
    /// a layer of its own.
    fn mean_pool(
        &mut self,
        node: &Node,
        pool: &Pool2d,
        count_include_pad: bool,
    ) -> Result<(), Problem> {
        let mut x = self.planes_operand(node)?;
        let mut window = pool_window(pool, [1, 1]);
        if count_include_pad && pool.padding.iter().any(|[before, after]| before != after) {
            let [[top, bottom], [left, right]] = pool.padding;
            let border = Border {
                top,
                bottom,
                left,
                right,
            };
            let [channels, height, width] = self.net.shape(x);
            let shape = [channels, height + top + bottom, width + left + right];
            x = self.add(node, LayerOp::Pad(border), vec![x], shape);
            window.padding = [0, 0];
        }
        let op = LayerOp::MeanPool {
            window,
            count_include_pad,
        };
        self.push_planes(node, op, x)
    }

    /// Returns the first operand of `node` as a map whose channels are the entries of all axes before the
    /// last two: pools compute each plane by itself.
    fn planes_operand(&mut self, node: &Node) -> Result<MapId, Problem> {
        let shape = self.image_shape(node.inputs[0]);
        let &[ref planes @ .., height, width] = &shape[..] else {
            return Err(unsupported(node));
        };
        let channels = planes.iter().product();
        self.shaped_operand(node, 0, [channels, height, width])
    }

    /// Adds a pool of `x`, which computes each plane by itself.
    fn push_planes(&mut self, node: &Node, op: LayerOp, x: MapId) -> Result<(), Problem> {
        let &[.., height, width] = self.graph.shape(node.outputs[0]) else {
            return Err(unsupported(node));
        };
        let [channels, ..] = self.net.shape(x);
        let y = self.add(node, op, vec![x], [channels, height, width]);
        self.finish(node, y);
        Ok(())
    }

    /// Translates arithmetic of a tensor and a number.
    fn scalar(&mut self, node: &Node, arithmetic: Arithmetic, number: f64) -> Result<(), Problem> {
        let affine = match arithmetic {
            Arithmetic::Add => Affine::Shift(PerChannel::Number(number)),
            Arithmetic::Sub => Affine::Shift(PerChannel::Number(-number)),
            Arithmetic::Mul => Affine::Scale(PerChannel::Number(number)),
            Arithmetic::Div => Affine::Scale(PerChannel::Number(1.0 / number)),
            Arithmetic::Min => {
                let (low, high) = (f32::MIN, finite(number));
                return self.push_activation(node, Activation::Clamp { low, high });
            }
            Arithmetic::Max => {
                let (low, high) = (finite(number), f32::MAX);
                return self.push_activation(node, Activation::Clamp { low, high });
            }
            Arithmetic::Pow => return self.power(node, number),
        };
        let x = self.operand(node, 0)?;
        self.push_elementwise(node, LayerOp::Affine(vec![affine]), vec![x]);
        Ok(())
    }

    /// Translates an element-wise function, which the step that computes its argument may apply.
    fn function(&mut self, node: &Node, function: graph::Function) -> Result<(), Problem> {
        use graph::Function as Graph;
        let function = match function {
            Graph::LeakyRelu { slope } => {
                let slope = slope as f32;
                return self.push_activation(node, Activation::LeakyRelu { slope });
            }
            Graph::HardSigmoid { alpha, beta } => {
                let (alpha, beta) = (alpha as f32, beta as f32);
                return self.push_activation(node, Activation::HardSigmoid { alpha, beta });
            }
            Graph::HardSwish => return self.push_activation(node, Activation::HardSwish),
            Graph::Silu => return self.push_activation(node, Activation::Silu),
            Graph::Gelu => return self.push_activation(node, Activation::Gelu),
            Graph::Elu { alpha } => Function::Elu {
                alpha: alpha as f32,
            },
            Graph::Selu { alpha, scale } => Function::Selu {
                alpha: alpha as f32,
                scale: scale as f32,
            },
            Graph::Celu { alpha } => Function::Celu {
                alpha: alpha as f32,
            },
            Graph::ThresholdedRelu { alpha } => Function::ThresholdedRelu {
                alpha: alpha as f32,
            },
            Graph::Mish => Function::Mish,
            Graph::Softplus => Function::Softplus,
            Graph::Softsign => Function::Softsign,
            Graph::GeluTanh => Function::GeluTanh,
            Graph::Erf => Function::Erf,
            Graph::Exp => Function::Exp,
            Graph::Ln => Function::Ln,
            Graph::Sqrt => Function::Sqrt,
            Graph::Abs => Function::Abs,
            Graph::Neg => Function::Neg,
            Graph::Reciprocal => Function::Reciprocal,
            Graph::Sign => Function::Sign,
            Graph::Floor => Function::Floor,
            Graph::Ceil => Function::Ceil,
            Graph::Round => Function::Round,
            Graph::Sin => Function::Sin,
            Graph::Cos => Function::Cos,
        };
        let x = self.operand(node, 0)?;
        self.push_elementwise(node, LayerOp::Function(function), vec![x]);
        Ok(())
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
