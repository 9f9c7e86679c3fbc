//! Random small networks: the graph computes what the network computes, and the summary counts
//! what the network's own layers have.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::{Device, Distribution, Tensor, Tolerance, activation};
use proptest::prelude::*;
use receptive_kernels::cost::{self, Convolution, Cost};
use receptive_layers::block::LocalResponseNorm;
use receptive_layers::graph::{Graph, Origin};
use receptive_layers::summary::Summary;

use crate::interpreter;
use crate::networks::{Basic, cpu};

/// A layer of a random network.
#[derive(Module, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a network holds few of them, and Burn implements Module for no Box"
)]
enum Layer {
    Conv(Conv2d),
    Norm(BatchNorm),
    Max(MaxPool2d),
    Avg(AvgPool2d),
    Lrn(LocalResponseNorm),
    Residual(Basic),
    Both(Both),
    Function(Function),
}

/// Two convolutions of the same maps, one after the other along the channels.
#[derive(Module, Debug)]
struct Both {
    left: Conv2d,
    right: Conv2d,
}

/// A function without parameters.
#[derive(Module, Debug)]
struct Function {
    #[module(skip)]
    which: Which,
}

#[derive(Debug, Clone, Copy)]
pub enum Which {
    Relu,
    Relu6,
    Tanh,
    Sigmoid,
    Scale,
    Halve,
    Identity,
}

/// What a layer is made from.
#[derive(Debug, Clone)]
pub enum Plan {
    Conv {
        out: usize,
        kernel: [usize; 2],
        stride: usize,
        padding: [usize; 4],
        dilation: usize,
        depthwise: bool,
        bias: bool,
    },
    Norm,
    Max {
        kernel: usize,
        stride: usize,
        padding: bool,
        ceil: bool,
    },
    Avg {
        kernel: usize,
        stride: usize,
        include: bool,
    },
    Lrn,
    Residual {
        out: usize,
    },
    Both {
        channels: [usize; 2],
    },
    Function(Which),
}

/// Few channels, or whole blocks of them and some more.
fn channels() -> impl Strategy<Value = usize> {
    prop_oneof![3 => 1..6usize, 1 => prop::sample::select(vec![8, 16, 20, 32])]
}

pub fn plan() -> impl Strategy<Value = Plan> {
    let conv = (
        channels(),
        [1..4usize, 1..4usize],
        1..3usize,
        [0..2usize, 0..2usize, 0..2usize, 0..2usize],
        1..3usize,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(out, kernel, stride, padding, dilation, depthwise, bias)| Plan::Conv {
                out,
                kernel,
                stride,
                padding,
                dilation,
                depthwise,
                bias,
            },
        );
    let max = (2..4usize, 1..3usize, any::<bool>(), any::<bool>()).prop_map(
        |(kernel, stride, padding, ceil)| Plan::Max {
            kernel,
            stride,
            padding,
            ceil,
        },
    );
    let avg =
        (1..4usize, 1..3usize, any::<bool>()).prop_map(|(kernel, stride, include)| Plan::Avg {
            kernel,
            stride,
            include,
        });
    let function = prop::sample::select(vec![
        Which::Relu,
        Which::Relu6,
        Which::Tanh,
        Which::Sigmoid,
        Which::Scale,
        Which::Halve,
        Which::Identity,
    ]);
    prop_oneof![
        4 => conv,
        2 => Just(Plan::Norm),
        2 => max,
        1 => avg,
        1 => Just(Plan::Lrn),
        2 => channels().prop_map(|out| Plan::Residual { out }),
        1 => [channels(), channels()].prop_map(|channels| Plan::Both { channels }),
        3 => function.prop_map(Plan::Function),
    ]
}

impl Layer {
    /// The layer for maps of a shape, or `None` where it does not fit, and what it costs.
    fn new(plan: &Plan, [_, channels, height, width]: [usize; 4], device: &Device) -> Option<Self> {
        let least = height.min(width);
        Some(match *plan {
            Plan::Conv {
                out,
                kernel,
                stride,
                padding: [top, left, bottom, right],
                dilation,
                depthwise,
                bias,
            } => {
                let extent = |kernel: usize| dilation * (kernel - 1) + 1;
                if extent(kernel[0]) > height || extent(kernel[1]) > width {
                    return None;
                }
                let (out, groups) = if depthwise {
                    (channels * (out % 3 + 1), channels)
                } else {
                    (out, 1)
                };
                Self::Conv(
                    Conv2dConfig::new([channels, out], kernel)
                        .with_stride([stride; 2])
                        .with_padding(PaddingConfig2d::Explicit(top, left, bottom, right))
                        .with_dilation([dilation; 2])
                        .with_groups(groups)
                        .with_bias(bias)
                        .init(device),
                )
            }
            Plan::Norm => Self::Norm(BatchNormConfig::new(channels).init(device)),
            Plan::Max {
                kernel,
                stride,
                padding,
                ceil,
            } if kernel <= least => {
                let p = usize::from(padding) * (kernel / 2);
                Self::Max(
                    MaxPool2dConfig::new([kernel; 2])
                        .with_strides([stride; 2])
                        .with_padding(PaddingConfig2d::Explicit(p, p, p, p))
                        .with_ceil_mode(ceil)
                        .init(),
                )
            }
            Plan::Avg {
                kernel,
                stride,
                include,
            } if kernel <= least => Self::Avg(
                AvgPool2dConfig::new([kernel; 2])
                    .with_strides([stride; 2])
                    .with_count_include_pad(include)
                    .init(),
            ),
            Plan::Max { .. } | Plan::Avg { .. } => return None,
            Plan::Lrn => Self::Lrn(LocalResponseNorm::default()),
            Plan::Residual { out } => Self::Residual(Basic::init([channels, out], device)),
            Plan::Both {
                channels: [left, right],
            } => {
                let conv =
                    |out, kernel| Conv2dConfig::new([channels, out], [kernel; 2]).init(device);
                Self::Both(Both {
                    left: conv(left, 1),
                    right: conv(right, 1),
                })
            }
            Plan::Function(which) => Self::Function(Function { which }),
        })
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Conv(conv) => conv.forward(x),
            Self::Norm(norm) => norm.forward(x),
            Self::Max(pool) => pool.forward(x),
            Self::Avg(pool) => pool.forward(x),
            Self::Lrn(norm) => norm.forward(x),
            Self::Residual(block) => block.forward(x),
            Self::Both(both) => {
                Tensor::cat(vec![both.left.forward(x.clone()), both.right.forward(x)], 1)
            }
            Self::Function(function) => match function.which {
                Which::Relu => activation::relu(x),
                Which::Relu6 => activation::relu6(x),
                Which::Tanh => x.tanh(),
                Which::Sigmoid => activation::sigmoid(x),
                Which::Scale => (x * 1.5 + 0.25) / 2.0 - 0.125,
                Which::Halve => {
                    let [batch, channels, ..] = x.dims();
                    x.slice([0..batch, 0..channels.div_ceil(2)])
                }
                Which::Identity => {
                    let shape = x.dims();
                    x.flatten::<2>(1, 3).reshape(shape) * 1.0
                }
            },
        }
    }

    /// Counted from the layer itself, for one image.
    fn cost(&self, [_, _, height, width]: [usize; 4]) -> Vec<Cost> {
        let conv = |conv: &Conv2d, output| {
            let [out, per_group, rows, columns] = conv.weight.dims();
            Convolution {
                channels: [per_group * conv.groups, out],
                kernel: [rows, columns],
                groups: conv.groups,
                bias: conv.bias.is_some(),
            }
            .cost(output)
            .expect("a small layer")
        };
        let output = [height, width];
        match self {
            Self::Conv(layer) => vec![conv(layer, output)],
            Self::Both(both) => vec![conv(&both.left, output), conv(&both.right, output)],
            Self::Residual(block) => {
                let mut costs = vec![conv(&block.conv1, output), conv(&block.conv2, output)];
                costs.extend(
                    block
                        .downsample
                        .iter()
                        .map(|(layer, _)| conv(layer, output)),
                );
                costs
            }
            _ => Vec::new(),
        }
    }
}

#[derive(Module, Debug)]
pub struct Random {
    layers: Vec<Layer>,
    classifier: Linear,
    #[module(skip)]
    mean: bool,
}

impl Random {
    /// Those of `plans` that fit after each other, for images of `shape`, and what they cost.
    pub fn init(
        plans: &[Plan],
        shape: [usize; 4],
        mean: bool,
        device: &Device,
    ) -> (Self, Vec<Cost>) {
        let mut x = Tensor::zeros(shape, device);
        let mut layers = Vec::new();
        let mut costs = Vec::new();
        for plan in plans {
            if let Some(layer) = Layer::new(plan, x.dims(), device) {
                x = layer.forward(x);
                costs.extend(layer.cost(x.dims()));
                layers.push(layer);
            }
        }
        let [_, channels, height, width] = x.dims();
        let inputs = if mean {
            channels
        } else {
            channels * height * width
        };
        costs.push(cost::linear(inputs, 4, true).expect("a small layer"));
        let network = Self {
            layers,
            classifier: LinearConfig::new(inputs, 4).init(device),
            mean,
        };
        (network, costs)
    }

    /// The last maps, and probabilities.
    pub fn outputs(&self, images: Tensor<4>) -> (Tensor<4>, Tensor<2>) {
        let mut x = images;
        for layer in &self.layers {
            x = layer.forward(x);
        }
        let maps = x.clone();
        let x = if self.mean { x.mean_dims(&[2, 3]) } else { x };
        let logits = self.classifier.forward(x.flatten(1, 3));
        (maps, activation::softmax(logits, 1))
    }

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.outputs(images).1
    }
}

proptest! {
    #[test]
    fn a_graph_is_its_network(
        plans in prop::collection::vec(plan(), 0..7),
        batch in 1..3usize,
        size in [5..12usize, 5..12usize],
        mean in any::<bool>(),
    ) {
        let device = cpu();
        let shape = [batch, 3, size[0], size[1]];
        let images = Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device);

        let (network, costs) = Random::init(&plans, shape, mean, &device);
        let expected = network.forward(images.clone());

        let graph = Graph::record(&network, shape, Random::forward).expect("a network");
        let computed = interpreter::run(&graph, images).remove(0).reshape(expected.dims());
        computed
            .into_data()
            .assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(1e-5));

        let summary = Summary::from_graph(&graph, "random").expect("small costs");
        let total = Cost::sum(costs).expect("small costs");
        prop_assert_eq!(summary.macs, total.macs * batch as u64);
        prop_assert_eq!(summary.parameters + summary.fixed, network.num_params() as u64);
        let in_layers: u64 = summary.layers.iter().map(|layer| layer.parameters).sum();
        prop_assert_eq!(in_layers, summary.parameters);
        prop_assert_eq!(summary.grouped(1).layers.iter().map(|row| row.macs).sum::<u64>(), summary.macs);

        let mut names: Vec<&str> = graph.nodes.iter().map(|node| node.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        prop_assert_eq!(names.len(), graph.nodes.len());

        let traced = Graph::trace(|device| network.valid().to_device(device), shape, Random::forward)
            .expect("a network");
        prop_assert_eq!(Summary::from_graph(&traced, "random").expect("small costs"), summary);
        for node in &graph.nodes {
            for &output in &node.outputs {
                prop_assert_eq!(&graph.value(output).origin, &Origin::Computed);
            }
        }
    }
}
