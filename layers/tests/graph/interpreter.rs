//! A graph interpreter on Burn's operations. Its results show that a recorded graph contains
//! everything that the network computes.

use std::collections::HashMap;

use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor, activation, module};
use receptive_kernels::ops;
use receptive_layers::graph::{Arithmetic, Graph, Node, Op, Pool2d, ValueData, ValueId};

/// Runs `graph` on `input`. Every output has rank 4, with leading axes of length one.
pub fn run(graph: &Graph, input: Tensor<4>) -> Vec<Tensor<4>> {
    let device = input.device();
    let mut values = HashMap::new();
    for (id, value) in graph.ids() {
        let shape = rank4(&value.shape);
        let tensor = match &value.data {
            Some(ValueData::Elements(data)) => {
                let elements = data.try_to_vec::<f32>().expect("single precision");
                Tensor::<1>::from_data(elements.as_slice(), &device).reshape(shape)
            }
            Some(ValueData::Fill(number)) => Tensor::full(shape, *number, &device),
            None => continue,
        };
        values.insert(id, tensor);
    }
    values.insert(graph.input, input);
    let mut interpreter = Interpreter {
        graph,
        device,
        values,
    };
    for node in &graph.nodes {
        let output = interpreter.evaluate(node);
        assert_eq!(
            output.dims(),
            rank4(graph.shape(node.outputs[0])),
            "{}",
            node.name
        );
        interpreter.values.insert(node.outputs[0], output);
    }
    let outputs = graph.outputs.iter();
    outputs.map(|id| interpreter.values[id].clone()).collect()
}

/// Prepends axes of length one to `shape`.
fn rank4(shape: &[usize]) -> [usize; 4] {
    let mut four = [1; 4];
    four[4 - shape.len()..].copy_from_slice(shape);
    four
}

struct Interpreter<'a> {
    graph: &'a Graph,
    device: Device,
    values: HashMap<ValueId, Tensor<4>>,
}

impl Interpreter<'_> {
    fn vector(&self, id: ValueId) -> Tensor<1> {
        self.values[&id]
            .clone()
            .reshape([self.graph.value(id).len()])
    }

    fn matrix(&self, id: ValueId) -> Tensor<2> {
        let &[rows, columns] = self.graph.shape(id) else {
            panic!("expected a matrix");
        };
        self.values[&id].clone().reshape([rows, columns])
    }

    fn evaluate(&self, node: &Node) -> Tensor<4> {
        let inputs = &node.inputs;
        let output = rank4(self.graph.shape(node.outputs[0]));
        // The number of prepended axes, by which the graph's axis numbers are shifted.
        let front = 4 - self.graph.shape(inputs[0]).len();
        let x = self.values[&inputs[0]].clone();
        let second = || self.values[&inputs[1]].clone();
        match &node.op {
            Op::Conv2d(conv) => module::conv2d(
                x,
                second(),
                inputs.get(2).map(|&bias| self.vector(bias)),
                ConvOptions::new_with_padding(
                    conv.stride,
                    conv.padding.map(|[before, after]| (before, after)),
                    conv.dilation,
                    conv.groups,
                ),
            ),
            Op::BatchNorm { epsilon } => module::batch_norm(
                x,
                self.vector(inputs[1]),
                self.vector(inputs[2]),
                self.vector(inputs[3]),
                self.vector(inputs[4]),
                *epsilon,
            ),
            Op::Linear => {
                let bias = inputs.get(2).map(|&bias| self.vector(bias));
                module::linear(x, self.matrix(inputs[1]), bias)
            }
            Op::MaxPool2d { window, dilation } => module::max_pool2d(
                x,
                MaxPoolOptions {
                    kernel_size: window.kernel,
                    stride: window.stride,
                    padding: around(window),
                    dilation: *dilation,
                    ceil_mode: window.ceil,
                },
            ),
            Op::AvgPool2d {
                window,
                count_include_pad,
            } => module::avg_pool2d(
                x,
                AvgPoolOptions {
                    kernel_size: window.kernel,
                    stride: window.stride,
                    padding: around(window),
                    count_include_pad: *count_include_pad,
                    ceil_mode: window.ceil,
                },
            ),
            Op::AdaptiveAvgPool2d { output } => module::adaptive_avg_pool2d(x, *output),
            Op::LocalResponseNorm {
                size,
                alpha,
                beta,
                k,
            } => ops::local_response_norm(x, *size, *alpha, *beta, *k),
            Op::RadialBasis => {
                let distances = ops::radial_basis(self.matrix(inputs[0]), self.matrix(inputs[1]));
                distances.reshape(output)
            }
            Op::Relu => activation::relu(x),
            Op::Clamp { min, max } => x.clamp(*min, *max),
            Op::Tanh => x.tanh(),
            Op::Sigmoid => activation::sigmoid(x),
            Op::Softmax { axis } => activation::softmax(x, front + axis),
            Op::Binary(arithmetic) => match arithmetic {
                Arithmetic::Add => x + second(),
                Arithmetic::Sub => x - second(),
                Arithmetic::Mul => x * second(),
                Arithmetic::Div => x / second(),
                Arithmetic::Min => x.min_pair(second()),
                Arithmetic::Max => x.max_pair(second()),
                Arithmetic::Pow => x.powf(second()),
            },
            Op::Scalar(arithmetic, number) => match arithmetic {
                Arithmetic::Add => x + *number,
                Arithmetic::Sub => x - *number,
                Arithmetic::Mul => x * *number,
                Arithmetic::Div => x / *number,
                Arithmetic::Min => x.clamp_max(*number),
                Arithmetic::Max => x.clamp_min(*number),
                Arithmetic::Pow => x.powf_scalar(*number),
            },
            Op::Matmul => x.matmul(second()),
            Op::Mean { axes } => {
                let axes: Vec<usize> = axes.iter().map(|axis| front + axis).collect();
                x.mean_dims(&axes)
            }
            Op::Concat { axis } => {
                let all = inputs.iter().map(|id| self.values[id].clone());
                Tensor::cat(all.collect(), front + axis)
            }
            Op::Reshape => x.reshape(output),
            Op::Expand => x.expand(output),
            Op::Permute { axes } => {
                let mut order = [0, 1, 2, 3];
                for (index, &axis) in axes.iter().enumerate() {
                    order[front + index] = front + axis;
                }
                x.permute(order)
            }
            Op::Slice { ranges } => {
                let mut sliced = x;
                for (axis, range) in ranges.iter().enumerate() {
                    let indices: Vec<i32> = (range.start..range.end)
                        .step_by(range.step)
                        .map(|index| i32::try_from(index).expect("a short axis"))
                        .collect();
                    let indices = Tensor::from_data(indices.as_slice(), &self.device);
                    sliced = sliced.select(front + axis, indices);
                }
                sliced
            }
            Op::Pad { padding, value } => {
                let mut pairs = [(0, 0); 4];
                for (axis, &[before, after]) in padding.iter().enumerate() {
                    pairs[front + axis] = (before, after);
                }
                let inner = x.dims();
                let ranges = [0, 1, 2, 3].map(|axis| pairs[axis].0..pairs[axis].0 + inner[axis]);
                Tensor::full(output, *value, &self.device).slice_assign(ranges, x)
            }
            _ => panic!("the interpreter does not support {}", node.name),
        }
    }
}

/// Returns the padding before and after each axis.
fn around(window: &Pool2d) -> [(usize, usize); 2] {
    window.padding.map(|[before, after]| (before, after))
}
