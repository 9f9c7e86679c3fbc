//! Property tests on random chains, and on random graphs of all operations that can be compiled,
//! with shared values and several outputs: a compiled network computes what Burn's flex backend
//! computes, and the summary counts the costs of the layers that the outputs depend on.

use burn::module::{Module, Param, RunningState};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions, PadMode};
use burn::tensor::{Device, Int, Tensor, TensorData, activation, module, s};
use proptest::prelude::*;
use receptive_kernels::cost::Cost;
use receptive_layers::block::{LocalResponseNorm, RadialBasis};
use receptive_layers::compile::{Compiled, Isa, Options, Precision};
use receptive_layers::graph::{Graph, OutputList, Outputs};
use receptive_layers::summary::Summary;

use crate::networks::cpu;
use crate::noise::{difference, largest, noise};
use crate::random::{Random, layer_config};

/// Random numbers from which a step is chosen.
type Numbers = [u16; 10];

/// A random graph as a module: layers with weights, and the steps that apply them.
#[derive(Module, Debug)]
struct RandomGraph {
    convs: Vec<Conv2d>,
    norms: Vec<BatchNorm>,
    weights: Vec<Param<Tensor<4>>>,
    head: Option<Linear>,
    distances: Option<RadialBasis>,
    #[module(skip)]
    steps: Vec<Step>,
    /// Indices of the returned values.
    #[module(skip)]
    outputs: Vec<usize>,
}

/// A step, which reads earlier values and computes the next one. Value 0 is the input.
#[derive(Debug, Clone)]
struct Step {
    op: StepOp,
    operands: Vec<usize>,
}

#[derive(Debug, Clone)]
enum StepOp {
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
enum Function {
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
enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
}

#[derive(Debug, Clone, Copy)]
struct Pool {
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    ceil: bool,
}

const FUNCTIONS: [Function; 8] = [
    Function::Relu,
    Function::Relu6,
    Function::Clamp,
    Function::Least,
    Function::Tanh,
    Function::Sigmoid,
    Function::Softmax,
    Function::Lrn,
];

const ARITHMETIC: [Arithmetic; 4] = [
    Arithmetic::Add,
    Arithmetic::Sub,
    Arithmetic::Mul,
    Arithmetic::Div,
];

/// Channel counts: fewer than a block, whole blocks, and whole blocks with a remainder.
const CHANNELS: [usize; 10] = [1, 2, 3, 5, 6, 8, 12, 16, 20, 32];

impl Arithmetic {
    fn apply(self, a: Tensor<4>, b: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b,
        }
    }
}

impl Function {
    fn apply(self, x: Tensor<4>) -> Tensor<4> {
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
    fn apply(&self, step: &Step, values: &[Tensor<4>]) -> Tensor<4> {
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

    fn forward(&self, images: Tensor<4>) -> Returned {
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
struct Returned {
    maps: Vec<Tensor<4>>,
    vectors: Option<Tensor<2>>,
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
    fn into_vectors(self) -> Vec<Vec<f32>> {
        let floats = |data: TensorData| data.try_to_vec::<f32>().expect("single precision");
        let maps = self.maps.into_iter().map(|maps| floats(maps.into_data()));
        let vectors = self.vectors.map(|vectors| floats(vectors.into_data()));
        maps.chain(vectors).collect()
    }
}

/// A random graph under construction, with the values of random images.
struct Builder {
    graph: RandomGraph,
    values: Vec<Tensor<4>>,
    device: Device,
    seed: u64,
}

/// Reads a step's random numbers one after the other.
struct Draw<'a>(std::slice::Iter<'a, u16>);

impl Draw<'_> {
    /// Returns a number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % bound.max(1)
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn flag(&mut self) -> bool {
        self.below(2) == 1
    }
}

impl Builder {
    fn new(images: Tensor<4>) -> Self {
        Self {
            graph: RandomGraph {
                convs: Vec::new(),
                norms: Vec::new(),
                weights: Vec::new(),
                head: None,
                distances: None,
                steps: Vec::new(),
                outputs: Vec::new(),
            },
            device: images.device(),
            values: vec![images],
            seed: 11,
        }
    }

    /// Returns a tensor of pseudorandom numbers from `low` to `high`.
    fn tensor<const D: usize>(&mut self, shape: [usize; D], low: f32, high: f32) -> Tensor<D> {
        self.seed += 1;
        let numbers = noise(self.seed, shape.iter().product());
        let numbers: Vec<f32> = numbers
            .into_iter()
            .map(|x| low + (high - low) * (x + 1.0) / 2.0)
            .collect();
        Tensor::from_data(TensorData::new(numbers, shape), &self.device)
    }

    fn shape(&self, value: usize) -> [usize; 4] {
        self.values[value].dims()
    }

    /// Returns a value with the height and width of `x`, and one of the numbers of `channels`.
    fn like(&self, draw: &mut Draw<'_>, x: usize, channels: Option<[usize; 2]>) -> usize {
        let [_, _, height, width] = self.shape(x);
        let alike: Vec<usize> = (0..self.values.len())
            .filter(|&value| {
                let [_, own, rows, columns] = self.shape(value);
                [rows, columns] == [height, width]
                    && channels.is_none_or(|channels| channels.contains(&own))
            })
            .collect();
        draw.one_of(&alike)
    }

    /// Adds the step that `numbers` choose, unless it does not fit.
    fn add(&mut self, numbers: &Numbers) {
        let mut draw = Draw(numbers.iter());
        let kind = draw.below(22);
        // Later values are more likely, so that graphs become deep.
        let back = draw.below(8).saturating_sub(3);
        let x = (self.values.len() - 1).saturating_sub(back);
        let [_, channels, height, width] = self.shape(x);
        let shorter = height.min(width);
        let mut operands = vec![x];
        let op = match kind {
            0..=4 => {
                let Some(conv) = self.conv(&mut draw, x, kind == 4) else {
                    return;
                };
                self.graph.convs.push(conv);
                StepOp::Conv(self.graph.convs.len() - 1)
            }
            5 => {
                let mut norm = BatchNormConfig::new(channels).init(&self.device);
                norm.gamma = Param::from_tensor(self.tensor([channels], 0.5, 1.5));
                norm.beta = Param::from_tensor(self.tensor([channels], -0.5, 0.5));
                norm.running_mean = RunningState::new(self.tensor([channels], -0.5, 0.5));
                norm.running_var = RunningState::new(self.tensor([channels], 0.5, 1.5));
                self.graph.norms.push(norm);
                StepOp::Norm(self.graph.norms.len() - 1)
            }
            6 | 7 => StepOp::Function(draw.one_of(&FUNCTIONS)),
            8 | 9 => {
                let kernel = [1 + draw.below(3), 1 + draw.below(3)];
                let pool = Pool {
                    kernel,
                    stride: [1 + draw.below(3), 1 + draw.below(3)],
                    padding: kernel.map(|side| draw.below(side / 2 + 1)),
                    dilation: if kind == 8 {
                        [1 + draw.below(2); 2]
                    } else {
                        [1, 1]
                    },
                    ceil: draw.flag(),
                };
                let extent = |i: usize| pool.dilation[i] * (pool.kernel[i] - 1) + 1;
                if extent(0) > height || extent(1) > width {
                    return;
                }
                match kind {
                    8 => StepOp::MaxPool(pool),
                    _ => StepOp::AvgPool(pool, draw.flag()),
                }
            }
            10 => StepOp::AdaptivePool([1 + draw.below(height), 1 + draw.below(width)]),
            11 => StepOp::Mean(draw.one_of(&[&[2, 3][..], &[2], &[3]]).to_vec()),
            12 | 13 => {
                let other = [channels, if kind == 13 { 1 } else { channels }];
                operands.push(self.like(&mut draw, x, Some(other)));
                if draw.flag() {
                    operands.reverse();
                }
                StepOp::Binary(draw.one_of(&ARITHMETIC))
            }
            14 => {
                let arithmetic = draw.one_of(&ARITHMETIC);
                let left = draw.flag() && !matches!(arithmetic, Arithmetic::Div);
                let count = match (channels, draw.below(3)) {
                    (_, 0) => 1,
                    (1, _) => draw.one_of(&CHANNELS),
                    _ => channels,
                };
                let weights = self.tensor([1, count, 1, 1], 0.5, 1.5);
                self.graph.weights.push(Param::from_tensor(weights));
                StepOp::Weighted(arithmetic, self.graph.weights.len() - 1, left)
            }
            15 => {
                let number = draw.one_of(&[0.5, 1.0, -1.5, 2.0]);
                StepOp::Scalar(draw.one_of(&ARITHMETIC), number)
            }
            16 | 17 => {
                for _ in 0..1 + draw.below(2) {
                    operands.push(self.like(&mut draw, x, None));
                }
                let rotation = draw.below(operands.len());
                operands.rotate_left(rotation);
                let all: usize = operands.iter().map(|&value| self.shape(value)[1]).sum();
                if all > 96 {
                    return;
                }
                StepOp::Concat
            }
            18 => {
                let [crops, takes] = [draw.below(4), draw.below(4)];
                let mut range = |length: usize, whole: bool| {
                    if whole {
                        return [0, length, 1];
                    }
                    let first = draw.below(length);
                    let end = first + 1 + draw.below(length - first);
                    [first, end, 1 + draw.below(3)]
                };
                let channels = match takes {
                    // Whole blocks of channels.
                    0 if channels > 16 => [16, channels, 1],
                    1 if channels > 8 => [8, channels, 1],
                    0 | 1 => [0, channels, 1],
                    _ => range(channels, false),
                };
                StepOp::Slice([channels, range(height, crops == 0), range(width, crops < 2)])
            }
            19 => {
                let count = 1 + draw.below(6);
                let indices = (0..count).map(|_| draw.below(channels) as i32);
                StepOp::Select(indices.collect())
            }
            20 => {
                let mut pair = || [draw.below(3), draw.below(3)];
                let [rows, columns] = [pair(), pair()];
                let channels = [[0, 0], [1, 0], [0, 2]][rows[0]];
                match columns[0] + shorter {
                    0..=2 => StepOp::Zeros([1 + columns[1], rows[1]]),
                    _ => StepOp::Pad([channels, rows, columns]),
                }
            }
            _ => StepOp::Alias,
        };
        let step = Step { op, operands };
        let value = self.graph.apply(&step, &self.values);
        // Graphs stay small.
        let [_, channels, height, width] = value.dims();
        if channels * height * width <= 8192 {
            self.values.push(value);
            self.graph.steps.push(step);
        }
    }

    /// Draws a convolution of `x`, or returns `None` if its kernel exceeds the map.
    fn conv(&mut self, draw: &mut Draw<'_>, x: usize, depthwise: bool) -> Option<Conv2d> {
        let [_, channels, height, width] = self.shape(x);
        let (out, groups) = if depthwise {
            (channels * (1 + draw.below(2)), channels)
        } else {
            let grouped = draw.below(4) == 0;
            match [2, 3, 4]
                .into_iter()
                .find(|&groups| channels.is_multiple_of(groups))
            {
                Some(groups) if grouped => (groups * (1 + draw.below(9)), groups),
                _ => (draw.one_of(&CHANNELS), 1),
            }
        };
        let kernel = draw.one_of(&[
            [1, 1],
            [3, 3],
            [3, 3],
            [5, 5],
            [1, 3],
            [2, 2],
            [3, 1],
            [height, width],
        ]);
        let same = kernel.map(|side| side / 2);
        let [top, left, bottom, right] = match draw.below(4) {
            0 | 1 => [same[0], same[1], same[0], same[1]],
            2 => [0; 4],
            _ => [draw.below(3), draw.below(3), draw.below(3), draw.below(3)],
        };
        let dilation = if draw.below(5) == 0 { 2 } else { 1 };
        let extent = |i: usize| dilation * (kernel[i] - 1) + 1;
        if extent(0) > height + top + bottom || extent(1) > width + left + right {
            return None;
        }
        let stride = 1 + draw.below(4) / 3;
        let config = Conv2dConfig::new([channels, out], kernel)
            .with_stride([stride; 2])
            .with_padding(PaddingConfig2d::Explicit(top, left, bottom, right))
            .with_dilation([dilation; 2])
            .with_groups(groups);
        let mut conv = config.init(&self.device);
        let shape = [out, channels / groups, kernel[0], kernel[1]];
        let fan_in: usize = shape[1..].iter().product();
        let scale = (3.0 / fan_in as f32).sqrt();
        conv.weight = Param::from_tensor(self.tensor(shape, -scale, scale));
        conv.bias = match dilation + stride {
            2 => Some(Param::from_tensor(self.tensor([out], -0.5, 0.5))),
            _ => None,
        };
        Some(conv)
    }

    /// Adds a fully connected layer behind the last value, and distances from centres.
    fn add_head(&mut self, distances: bool) {
        let last = self.values.len() - 1;
        let inputs = self.shape(last)[1..].iter().product();
        let scale = (3.0 / inputs as f32).sqrt();
        let mut head = LinearConfig::new(inputs, 7).init(&self.device);
        head.weight = Param::from_tensor(self.tensor([inputs, 7], -scale, scale));
        head.bias = Some(Param::from_tensor(self.tensor([7], -0.5, 0.5)));
        self.graph.head = Some(head);
        if distances {
            let centers = self.tensor([4, 7], -1.0, 1.0);
            self.graph.distances = Some(RadialBasis { centers });
        }
    }

    /// Returns the multiply-adds of the steps that the outputs depend on, and the elements of their
    /// parameters.
    fn direct_counts(&self) -> (u64, u64) {
        let graph = &self.graph;
        let mut needed = vec![false; self.values.len()];
        for &output in &graph.outputs {
            needed[output] = true;
        }
        let [images, ..] = self.shape(0);
        let (mut macs, mut parameters) = (0, 0);
        if let Some(head) = &graph.head {
            *needed.last_mut().expect("the input at least") = true;
            let [inputs, outputs] = head.weight.dims();
            macs += images * inputs * outputs;
            parameters += (inputs + 1) * outputs;
        }
        if let Some(distances) = &graph.distances {
            let [classes, inputs] = distances.centers.dims();
            macs += images * inputs * classes;
            parameters += inputs * classes;
        }
        for (index, step) in graph.steps.iter().enumerate().rev() {
            if !needed[index + 1] {
                continue;
            }
            for &operand in &step.operands {
                needed[operand] = true;
            }
            let [_, channels, height, width] = self.shape(index + 1);
            match step.op {
                StepOp::Conv(conv) => {
                    let conv = &graph.convs[conv];
                    let [_, per_group, rows, columns] = conv.weight.dims();
                    let taps = per_group * rows * columns;
                    // Each output element is a sum of so many products.
                    macs += images * channels * height * width * taps;
                    parameters += channels * (taps + usize::from(conv.bias.is_some()));
                }
                StepOp::Norm(_) => parameters += 4 * channels,
                StepOp::Weighted(_, index, _) => {
                    parameters += graph.weights[index].dims().iter().product::<usize>();
                }
                _ => {}
            }
        }
        (macs as u64, parameters as u64)
    }
}

/// How a random graph is compiled.
#[derive(Debug, Clone)]
struct Setting {
    images: usize,
    /// Batch size of the plan, if it is not the recorded one.
    batch: Option<usize>,
    threads: usize,
    exact: bool,
    /// Chooses an instruction set of the machine.
    isa: usize,
}

fn setting() -> impl Strategy<Value = Setting> {
    (
        1..3usize,
        prop::option::of(1..5usize),
        1..3usize,
        any::<bool>(),
        any::<usize>(),
    )
        .prop_map(|(images, batch, threads, exact, isa)| Setting {
            images,
            batch: batch.filter(|&batch| batch >= images),
            threads,
            exact,
            isa,
        })
}

/// Builds the graph of `steps` for images of `shape`, which returns the values `outputs`.
fn build(shape: [usize; 4], steps: &[Numbers], outputs: &[usize], head: [bool; 2]) -> Builder {
    let images = TensorData::new(noise(5, shape.iter().product()), shape);
    let mut builder = Builder::new(Tensor::from_data(images, &cpu()));
    for numbers in steps {
        builder.add(numbers);
    }
    let count = builder.values.len();
    builder.graph.outputs = outputs.iter().map(|output| output % count).collect();
    if head[0] {
        builder.add_head(head[1]);
    } else {
        builder.graph.outputs.push(count - 1);
    }
    builder
}

/// Compiles `graph` and compares its outputs for `images` with the `expected` ones, relative to
/// `largest`.
fn check_outputs(
    graph: Graph,
    images: Tensor<4>,
    expected: &[Vec<f32>],
    largest: f32,
    setting: &Setting,
) -> Result<(), TestCaseError> {
    prop_assert!(graph.any_batch);
    let isas: Vec<Isa> = Isa::available().collect();
    let options = Options {
        batch: setting.batch,
        threads: Some(setting.threads),
        precision: match setting.exact {
            true => Precision::Exact,
            false => Precision::Fast,
        },
        isa: Some(isas[setting.isa % isas.len()]),
        ..Options::default()
    };
    let compiled = Compiled::from_graph(graph, &options);
    let mut compiled = compiled.map_err(|error| TestCaseError::fail(error.to_string()))?;
    let images: Vec<f32> = images.into_data().try_to_vec().expect("single precision");
    let found = compiled.run(&images).expect("a batch of images");
    prop_assert_eq!(found.iter().count(), expected.len());
    for ((name, found), expected) in found.iter().zip(expected) {
        let difference = difference(found, expected, largest);
        prop_assert!(
            difference < 2e-4,
            "{}: {:.1e} of {}",
            name,
            difference,
            largest
        );
    }
    Ok(())
}

/// Returns the number of random cases: `least`, or more by the variable `PROPTEST_CASES`.
fn cases(least: u32) -> u32 {
    ProptestConfig::default().cases.max(least)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(2500)))]

    #[test]
    fn compiled_graphs_compute_what_burn_computes(
        steps in prop::collection::vec(any::<Numbers>(), 1..10),
        outputs in prop::collection::vec(any::<usize>(), 0..4),
        head in any::<[bool; 2]>(),
        channels in prop::sample::select(vec![1, 3, 8, 16, 20]),
        size in [1..9usize, 1..9usize],
        setting in setting(),
    ) {
        let shape = [setting.images, channels, size[0], size[1]];
        let builder = build(shape, &steps, &outputs, head);
        let graph = Graph::record(&builder.graph, shape, RandomGraph::forward);
        let graph = graph.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let summary = Summary::from_graph(&graph, "random").expect("small costs");
        let (macs, parameters) = builder.direct_counts();
        prop_assert_eq!(summary.macs, macs);
        prop_assert_eq!(summary.parameters + summary.fixed, parameters);
        prop_assert_eq!(summary.uncounted, Vec::<String>::new());

        let images = builder.values[0].clone();
        let expected = builder.graph.forward(images.clone()).into_vectors();
        // Differences of large values have their rounding errors.
        let magnitudes = builder.values.iter().map(|value| value.clone().abs().max());
        let largest = magnitudes.map(|most| most.into_scalar::<f32>()).fold(1.0, f32::max);
        check_outputs(graph, images, &expected, largest, &setting)?;
    }

    #[test]
    fn compiled_chains_compute_what_burn_computes(
        configs in prop::collection::vec(layer_config(), 0..9),
        size in [5..14usize, 5..14usize],
        mean in any::<bool>(),
        setting in setting(),
    ) {
        let shape = [setting.images, 3, size[0], size[1]];
        let (network, costs) = Random::init(&configs, shape, mean, &cpu());
        let graph = Graph::record(&network, shape, Random::outputs);
        let graph = graph.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let summary = Summary::from_graph(&graph, "random").expect("small costs");
        let macs = Cost::sum(costs).expect("small costs").macs;
        prop_assert_eq!(summary.macs, macs * setting.images as u64);

        let numbers = TensorData::new(noise(5, shape.iter().product()), shape);
        let images = Tensor::from_data(numbers, &cpu());
        let (maps, classes) = network.outputs(images.clone());
        let expected = [maps.into_data(), classes.into_data()]
            .map(|data| data.try_to_vec::<f32>().expect("single precision"));
        check_outputs(graph, images, &expected, largest(&expected[0]), &setting)?;
    }
}
