//! Random networks, built as files and of Burn's operations, compute the same values.

use burn::tensor::activation::{hard_swish, leaky_relu, sigmoid, softmax};
use burn::tensor::module::{avg_pool2d, conv_transpose2d, conv2d, max_pool2d};
use burn::tensor::ops::{
    AvgPoolOptions, ConvOptions, ConvTransposeOptions, MaxPoolOptions, PadMode,
};
use burn::tensor::{Device, Tensor, TensorData};
use proptest::prelude::*;
use receptive_layers::compile::{Compiled, Options, Precision};

use super::models::{file, float, int, ints, list, node, numbers};
use crate::proto::{AttributeProto, NodeProto, TensorProto};

/// An operation on maps `[batch, channels, height, width]`.
#[derive(Debug, Clone)]
enum Step {
    Conv {
        channels: usize,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 4],
    },
    ConvTranspose {
        channels: usize,
        stride: usize,
    },
    Pool {
        is_max: bool,
        kernel: usize,
        stride: usize,
    },
    Activation(usize),
    Residual,
    Gate,
    Join,
    Shuffle,
    Transpose,
    Pad {
        padding: [usize; 4],
        value: f32,
    },
    Crop,
    Softmax(usize),
    Product(usize),
    Norm,
}

fn step() -> impl Strategy<Value = Step> {
    let side = 0..3usize;
    let sides = || [side.clone(), side.clone(), side.clone(), side.clone()];
    let pair = || [1..4usize, 1..4usize];
    prop_oneof![
        (1..9usize, pair(), [1..3usize, 1..3usize], sides()).prop_map(
            |(channels, kernel, stride, padding)| Step::Conv {
                channels,
                kernel,
                stride,
                padding,
            }
        ),
        (1..5usize, 1..3usize)
            .prop_map(|(channels, stride)| Step::ConvTranspose { channels, stride }),
        (any::<bool>(), 1..4usize, 1..3usize).prop_map(|(is_max, kernel, stride)| Step::Pool {
            is_max,
            kernel,
            stride,
        }),
        (0..6usize).prop_map(Step::Activation),
        Just(Step::Residual),
        Just(Step::Gate),
        Just(Step::Join),
        Just(Step::Shuffle),
        Just(Step::Transpose),
        (sides(), -1.0..1.0f32).prop_map(|(padding, value)| Step::Pad { padding, value }),
        Just(Step::Crop),
        (1..4usize).prop_map(Step::Softmax),
        (1..7usize).prop_map(Step::Product),
        Just(Step::Norm),
    ]
}

/// Nodes of a file, and the same operations of Burn on a tensor.
struct Both {
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
    /// Name of the last value in the file.
    name: String,
    x: Tensor<4>,
}

/// Returns noise from -1 to 1.
fn noise(seed: usize, len: usize) -> Vec<f32> {
    let number = |i: usize| (i + seed * 131).wrapping_mul(2_654_435_761) >> 9;
    (0..len)
        .map(|i| (number(i) % 2001) as f32 / 1000.0 - 1.0)
        .collect()
}

impl Both {
    fn new(shape: [usize; 4]) -> Self {
        Self {
            nodes: Vec::new(),
            constants: Vec::new(),
            name: "x".to_owned(),
            x: tensor(noise(0, shape.iter().product()), shape),
        }
    }

    /// Adds an operator, and returns the name of its result.
    fn node(&mut self, operator: &str, inputs: &[&str], attributes: &[AttributeProto]) -> String {
        let name = format!("v{}", self.nodes.len());
        self.nodes
            .push(node(operator, inputs, &[&name], attributes));
        name
    }

    /// Adds the operator that computes `x` of the last value and other operands.
    fn then(
        &mut self,
        operator: &str,
        others: &[&str],
        attributes: &[AttributeProto],
        x: Tensor<4>,
    ) {
        let last = self.name.clone();
        let inputs = [&[last.as_str()], others].concat();
        self.name = self.node(operator, &inputs, attributes);
        self.x = x;
    }

    /// Adds a constant of noise in the file, and returns its name and the tensor.
    fn weight<const D: usize>(&mut self, shape: [usize; D]) -> (String, Tensor<D>) {
        let name = format!("w{}", self.constants.len());
        let len: usize = shape.iter().product();
        // Sums keep the magnitude of their terms.
        let fan_in: usize = shape[1.min(D - 1)..].iter().product();
        let scale = (fan_in as f32).sqrt().recip();
        let mut elements = noise(self.constants.len() + 1, len);
        elements.iter_mut().for_each(|x| *x *= scale);
        let dims = shape.map(|length| length as i64);
        self.constants.push(numbers(&name, &dims, &elements));
        (name, tensor(elements, shape))
    }

    /// Adds a list of whole numbers in the file, and returns its name.
    fn list(&mut self, elements: &[usize]) -> String {
        let name = format!("w{}", self.constants.len());
        self.constants.push(list(&name, &signed(elements)));
        name
    }

    /// Adds a step, unless the maps are too small or too large for it.
    fn add(&mut self, step: &Step) {
        let x = self.x.clone();
        let [batch, channels, height, width] = x.dims();
        match *step {
            Step::Conv {
                channels: outputs,
                kernel,
                stride,
                padding: [top, left, bottom, right],
            } => {
                if height + top + bottom < kernel[0] || width + left + right < kernel[1] {
                    return;
                }
                let shape = [outputs, channels, kernel[0], kernel[1]];
                let ((weight, w), (bias, b)) = (self.weight(shape), self.weight([outputs]));
                let attributes = [
                    ints("pads", &signed(&[top, left, bottom, right])),
                    ints("strides", &signed(&stride)),
                ];
                let sides = (left, right, top, bottom);
                let padded = x.pad(sides, PadMode::Constant(0.0));
                let options = ConvOptions::new(stride, [0, 0], [1, 1], 1);
                let y = conv2d(padded, w, Some(b), options);
                self.then("Conv", &[&weight, &bias], &attributes, y);
            }
            Step::ConvTranspose {
                channels: outputs,
                stride,
            } => {
                if height * width > 400 {
                    return;
                }
                let (weight, w) = self.weight([channels, outputs, 2, 2]);
                let attributes = [ints("strides", &signed(&[stride; 2]))];
                let options = ConvTransposeOptions::new([stride; 2], [0; 2], [0; 2], [1; 2], 1);
                let y = conv_transpose2d(x, w, None, options);
                self.then("ConvTranspose", &[&weight], &attributes, y);
            }
            Step::Pool {
                is_max,
                kernel,
                stride,
            } => {
                if height < kernel || width < kernel {
                    return;
                }
                let padding = kernel / 2;
                let attributes = [
                    ints("kernel_shape", &signed(&[kernel; 2])),
                    ints("strides", &signed(&[stride; 2])),
                    ints("pads", &signed(&[padding; 4])),
                ];
                if is_max {
                    let options = MaxPoolOptions::new([kernel; 2]);
                    let options = options.with_stride([stride; 2]).with_padding([padding; 2]);
                    self.then("MaxPool", &[], &attributes, max_pool2d(x, options));
                } else {
                    let options = AvgPoolOptions::new([kernel; 2]);
                    let options = options.with_stride([stride; 2]).with_padding([padding; 2]);
                    let options = options.with_count_include_pad(false);
                    self.then("AveragePool", &[], &attributes, avg_pool2d(x, options));
                }
            }
            Step::Activation(index) => match index {
                0 => self.then("Relu", &[], &[], x.clamp_min(0.0)),
                1 => self.then("Sigmoid", &[], &[], sigmoid(x)),
                2 => self.then("Tanh", &[], &[], x.tanh()),
                3 => self.then("HardSwish", &[], &[], hard_swish(x)),
                4 => {
                    let attributes = [float("alpha", 0.1)];
                    self.then("LeakyRelu", &[], &attributes, leaky_relu(x, 0.1));
                }
                _ => {
                    let gate = self.node("Sigmoid", &[&self.name.clone()], &[]);
                    self.then("Mul", &[&gate], &[], x.clone() * sigmoid(x));
                }
            },
            Step::Residual => {
                let branch = self.node("Tanh", &[&self.name.clone()], &[]);
                self.then("Add", &[&branch], &[], x.clone() + x.tanh());
            }
            Step::Gate => {
                let mean = self.node("GlobalAveragePool", &[&self.name.clone()], &[]);
                let gate = self.node("Sigmoid", &[&mean], &[]);
                let mean = x.clone().mean_dim(2).mean_dim(3);
                self.then("Mul", &[&gate], &[], x * sigmoid(mean));
            }
            Step::Join => {
                if channels > 16 {
                    return;
                }
                let other = self.node("Tanh", &[&self.name.clone()], &[]);
                let joined = Tensor::cat(vec![x.clone(), x.tanh()], 1);
                self.then("Concat", &[&other], &[int("axis", 1)], joined);
            }
            Step::Shuffle => {
                if channels % 2 != 0 {
                    return;
                }
                let split = [batch, 2, channels / 2, height, width];
                let [split_name, joined] = [
                    self.list(&split),
                    self.list(&[batch, channels, height, width]),
                ];
                let moved: Tensor<5> = x.reshape(split).swap_dims(1, 2);
                let y = moved.reshape([batch, channels, height, width]);
                self.then("Reshape", &[&split_name], &[], y.clone());
                let axes = [ints("perm", &[0, 2, 1, 3, 4])];
                self.then("Transpose", &[], &axes, y.clone());
                self.then("Reshape", &[&joined], &[], y);
            }
            Step::Transpose => {
                let axes = [ints("perm", &[0, 1, 3, 2])];
                self.then("Transpose", &[], &axes, x.swap_dims(2, 3));
            }
            Step::Pad {
                padding: [top, left, bottom, right],
                value,
            } => {
                let pads = self.list(&[0, 0, top, left, 0, 0, bottom, right]);
                let name = format!("w{}", self.constants.len());
                self.constants.push(numbers(&name, &[], &[value]));
                let sides = (left, right, top, bottom);
                let y = x.pad(sides, PadMode::Constant(value));
                self.then("Pad", &[&pads, &name], &[], y);
            }
            Step::Crop => {
                if height < 3 || width < 4 {
                    return;
                }
                let lists: [&[usize]; 4] = [&[1, 0], &[height, width], &[2, 3], &[1, 2]];
                let names = lists.map(|elements| self.list(elements));
                let names = names.each_ref().map(String::as_str);
                let y = x.slice(burn::tensor::s![.., .., 1..height, 0..width;2]);
                self.then("Slice", &names, &[], y);
            }
            Step::Softmax(axis) => {
                let attributes = [int("axis", axis as i64)];
                self.then("Softmax", &[], &attributes, softmax(x, axis));
            }
            Step::Product(columns) => {
                let (weight, w) = self.weight([width, columns]);
                let y = x.matmul(w.reshape([1, 1, width, columns]));
                self.then("MatMul", &[&weight], &[], y);
            }
            Step::Norm => {
                let parameters = [(); 4].map(|()| self.weight([channels]));
                let [scale, bias, mean, deviation] = parameters;
                // A variance is positive.
                let variance = format!("w{}", self.constants.len());
                let positive = deviation.1.abs() + 0.5;
                let elements: Vec<f32> = positive.to_data().iter().collect();
                let dims = [channels as i64];
                self.constants.push(numbers(&variance, &dims, &elements));
                let shaped = |tensor: Tensor<1>| tensor.reshape([1, channels, 1, 1]);
                let normal = (x - shaped(mean.1)) / (shaped(positive) + 1e-5).sqrt();
                let y = normal * shaped(scale.1) + shaped(bias.1);
                let names = [&scale.0, &bias.0, &mean.0, &variance];
                let names = names.map(String::as_str);
                self.then("BatchNormalization", &names, &[], y);
            }
        }
    }
}

fn tensor<const D: usize>(elements: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(elements, shape), &Device::flex())
}

fn signed(numbers: &[usize]) -> Vec<i64> {
    numbers.iter().map(|&number| number as i64).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn files_compute_what_burn_computes(
        shape in [1..3usize, 1..7usize, 1..12usize, 1..12usize],
        steps in prop::collection::vec(step(), 1..8),
    ) {
        let mut both = Both::new(shape);
        steps.iter().for_each(|step| both.add(step));
        let name = both.name.clone();
        both.nodes.push(node("Identity", &[&name], &["y"], &[]));
        // A result of one node at least, which is not the input.
        prop_assume!(name != "x");
        let expected: Vec<f32> = both.x.to_data().iter().collect();
        let model = file(17, &signed(&shape), both.nodes, both.constants);
        let bytes = prost::Message::encode_to_vec(&model);
        let graph = crate::read_bytes(&bytes, &crate::ReadOptions::default()).expect("read").graph;
        let options = Options {
            precision: Precision::Exact,
            ..Options::default()
        };
        let mut compiled = Compiled::from_graph(graph, &options).expect("compiled");
        let found = compiled.run(&noise(0, shape.iter().product())).expect("run").into_first();
        prop_assert_eq!(found.len(), expected.len());
        let largest = expected.iter().fold(1.0f32, |largest, x| largest.max(x.abs()));
        for (found, expected) in found.iter().zip(&expected) {
            let difference = (found - expected).abs() / largest;
            prop_assert!(difference < 1e-5, "{found}, expected {expected}");
        }
    }
}
