//! Construction of a random graph from random numbers, and its costs by a direct count.

use burn::module::{Param, RunningState};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNormConfig, LinearConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor, TensorData};
use receptive_layers::block::RadialBasis;

use super::module::{ARITHMETIC, Arithmetic, FUNCTIONS, Pool, RandomGraph, Step, StepOp};
use crate::noise::noise;

/// Random numbers from which a step is chosen.
pub type Numbers = [u16; 10];

/// Channel counts: fewer than a block, whole blocks, and whole blocks with a remainder.
const CHANNELS: [usize; 10] = [1, 2, 3, 5, 6, 8, 12, 16, 20, 32];

/// A random graph under construction, with the values of random images.
pub struct Builder {
    pub graph: RandomGraph,
    pub values: Vec<Tensor<4>>,
    pub device: Device,
    pub seed: u64,
}

/// Reads a step's random numbers one after the other.
pub struct Draw<'a>(std::slice::Iter<'a, u16>);

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
    pub fn new(images: Tensor<4>) -> Self {
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
    pub fn add(&mut self, numbers: &Numbers) {
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
    pub fn add_head(&mut self, distances: bool) {
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
    pub fn direct_counts(&self) -> (u64, u64) {
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
