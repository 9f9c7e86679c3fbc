//! A Burn module with random layers and operations, shared values and several outputs.

use burn::module::{Module, Param};
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, Linear};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions, PadMode};
use burn::tensor::{Int, Tensor, TensorData, activation, module, s};
use receptive_layers::block::{LocalResponseNorm, RadialBasis};
use receptive_layers::graph::{OutputList, Outputs};

/// A random graph as a module: layers with weights, and the steps that apply them.
#[derive(Module, Debug)]
pub struct RandomGraph {
    pub convs: Vec<Conv2d>,
    pub norms: Vec<BatchNorm>,
    pub weights: Vec<Param<Tensor<4>>>,
    pub head: Option<Linear>,
    pub distances: Option<RadialBasis>,
    #[module(skip)]
    pub steps: Vec<Step>,
    /// Indices of the returned values.
    #[module(skip)]
    pub outputs: Vec<usize>,
}

/// A step, which reads earlier values and computes the next one. Value 0 is the input.
#[derive(Debug, Clone)]
pub struct Step {
    pub op: StepOp,
    pub operands: Vec<usize>,
}

#[derive(Debug, Clone)]
pub enum StepOp {
    /// Index in `convs`.
    Conv(usize),
    /// Index in `norms`.
    Norm(usize),
    Function(Function),
    MaxPool(Pool),
    AvgPool(Pool, bool),
    AdaptivePool([usize; 2]),
    Mean(Vec<usize>),
    Binary(Arithmetic),
    /// Arithmetic with weights, an index in `weights`; whether the weights are the left operand.
    Weighted(Arithmetic, usize, bool),
    Scalar(Arithmetic, f32),
    Concat,
    /// Concatenation with channels of zeros before and after.
    Zeros([usize; 2]),
    /// First, end and step of the channels, rows and columns.
    Slice([[usize; 3]; 3]),
    Select(Vec<i32>),
    /// Zeros before and after the channels, rows and columns.
    Pad([[usize; 2]; 3]),
    /// Reshapes that keep the values.
    Alias,
}

#[derive(Debug, Clone, Copy)]
pub enum Function {
    Relu,
    Relu6,
    Clamp,
    Least,
    Tanh,
    Sigmoid,
    Softmax,
    Lrn,
}

#[derive(Debug, Clone, Copy)]
pub enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
}

#[derive(Debug, Clone, Copy)]
pub struct Pool {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub dilation: [usize; 2],
    pub ceil: bool,
}

pub const FUNCTIONS: [Function; 8] = [
    Function::Relu,
    Function::Relu6,
    Function::Clamp,
    Function::Least,
    Function::Tanh,
    Function::Sigmoid,
    Function::Softmax,
    Function::Lrn,
];

pub const ARITHMETIC: [Arithmetic; 4] = [
    Arithmetic::Add,
    Arithmetic::Sub,
    Arithmetic::Mul,
    Arithmetic::Div,
];

impl Arithmetic {
    pub fn apply(self, a: Tensor<4>, b: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b,
        }
    }
}

impl Function {
    pub fn apply(self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Relu => activation::relu(x),
            Self::Relu6 => activation::relu6(x),
            Self::Clamp => x.clamp(-0.5, 0.75),
            Self::Least => x.clamp_min(-0.25),
            Self::Tanh => x.tanh(),
            Self::Sigmoid => activation::sigmoid(x),
            Self::Softmax => activation::softmax(x, 1),
            Self::Lrn => LocalResponseNorm::default().forward(x),
        }
    }
}

impl RandomGraph {
    /// Applies a step to the values before it.
    pub fn apply(&self, step: &Step, values: &[Tensor<4>]) -> Tensor<4> {
        let operand = |index: usize| values[step.operands[index]].clone();
        let x = operand(0);
        let device = x.device();
        let [images, channels, height, width] = x.dims();
        match &step.op {
            StepOp::Conv(index) => self.convs[*index].forward(x),
            StepOp::Norm(index) => self.norms[*index].forward(x),
            StepOp::Function(function) => function.apply(x),
            StepOp::MaxPool(pool) => module::max_pool2d(
                x,
                MaxPoolOptions {
                    kernel_size: pool.kernel,
                    stride: pool.stride,
                    padding: pool.padding.map(|p| (p, p)),
                    dilation: pool.dilation,
                    ceil_mode: pool.ceil,
                },
            ),
            StepOp::AvgPool(pool, count_include_pad) => module::avg_pool2d(
                x,
                AvgPoolOptions {
                    kernel_size: pool.kernel,
                    stride: pool.stride,
                    padding: pool.padding.map(|p| (p, p)),
                    count_include_pad: *count_include_pad,
                    ceil_mode: pool.ceil,
                },
            ),
            StepOp::AdaptivePool(size) => module::adaptive_avg_pool2d(x, *size),
            StepOp::Mean(axes) => x.mean_dims(axes),
            StepOp::Binary(Arithmetic::Div) => x / (activation::sigmoid(operand(1)) + 0.5),
            StepOp::Binary(arithmetic) => arithmetic.apply(x, operand(1)),
            StepOp::Weighted(arithmetic, index, left) => {
                let weights = self.weights[*index].val();
                match left {
                    true => arithmetic.apply(weights, x),
                    false => arithmetic.apply(x, weights),
                }
            }
            StepOp::Scalar(arithmetic, number) => match arithmetic {
                Arithmetic::Add => x + *number,
                Arithmetic::Sub => x - *number,
                Arithmetic::Mul => x * *number,
                Arithmetic::Div => x / *number,
            },
            StepOp::Concat => {
                let operands = step.operands.iter().map(|&index| values[index].clone());
                Tensor::cat(operands.collect(), 1)
            }
            StepOp::Zeros([before, after]) => {
                let zeros = |count| Tensor::zeros([images, count, height, width], &device);
                let mut operands = vec![x];
                if *before > 0 {
                    operands.insert(0, zeros(*before));
                }
                if *after > 0 {
                    operands.push(zeros(*after));
                }
                Tensor::cat(operands, 1)
            }
            StepOp::Slice([[c0, c1, c2], [y0, y1, y2], [x0, x1, x2]]) => x.slice(s![
                ..,
                *c0..*c1;*c2 as isize,
                *y0..*y1;*y2 as isize,
                *x0..*x1;*x2 as isize
            ]),
            StepOp::Select(indices) => {
                let indices = Tensor::<1, Int>::from_ints(indices.as_slice(), &device);
                x.select(1, indices)
            }
            StepOp::Pad(pairs) => {
                let pairs = [[0, 0], pairs[0], pairs[1], pairs[2]];
                x.pad(
                    pairs.map(|[before, after]| (before, after)),
                    PadMode::Constant(0.0),
                )
            }
            StepOp::Alias => {
                let flat = x.reshape([images, channels * height, width]);
                flat.flatten::<2>(1, 2)
                    .reshape([images, channels, height, width])
            }
        }
    }

    fn values(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let mut values = vec![images];
        for step in &self.steps {
            values.push(self.apply(step, &values));
        }
        values
    }

    pub fn forward(&self, images: Tensor<4>) -> Returned {
        let values = self.values(images);
        let maps: Vec<Tensor<4>> = (self.outputs.iter())
            .map(|&index| values[index].clone())
            .collect();
        let vectors = self.head.as_ref().map(|head| {
            let last = values.last().expect("the input at least").clone();
            let logits = head.forward(last.flatten(1, 3));
            match &self.distances {
                Some(distances) => distances.forward(logits.tanh()),
                None => logits,
            }
        });
        Returned { maps, vectors }
    }
}

/// The outputs of a random graph.
pub struct Returned {
    pub maps: Vec<Tensor<4>>,
    pub vectors: Option<Tensor<2>>,
}

impl Outputs for Returned {
    fn list(self, outputs: &mut OutputList) {
        for maps in self.maps {
            outputs.push(maps);
        }
        if let Some(vectors) = self.vectors {
            outputs.push(vectors);
        }
    }
}

impl Returned {
    pub fn into_vectors(self) -> Vec<Vec<f32>> {
        let floats = |data: TensorData| data.try_to_vec::<f32>().expect("single precision");
        let maps = self.maps.into_iter().map(|maps| floats(maps.into_data()));
        let vectors = self.vectors.map(|vectors| floats(vectors.into_data()));
        maps.chain(vectors).collect()
    }
}
