//! Property tests on random small networks: the recorded graph computes the network's function, and
//! the summary counts the costs of the network's layers.

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
    Siblings(Siblings),
    Function(Function),
}

/// Two convolutions of the same maps, concatenated along the channels.
#[derive(Module, Debug)]
struct Siblings {
    left: Conv2d,
    right: Conv2d,
}

/// A function without parameters.
#[derive(Module, Debug)]
struct Function {
    #[module(skip)]
    kind: FunctionKind,
}

#[derive(Debug, Clone, Copy)]
pub enum FunctionKind {
    Relu,
    Relu6,
    Tanh,
    Sigmoid,
    Scale,
    Halve,
    Identity,
}

/// Configuration of a random layer.
#[derive(Debug, Clone)]
pub enum LayerConfig {
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
    Siblings {
        channels: [usize; 2],
    },
    Function(FunctionKind),
}

/// Generates channel counts: fewer than a block, whole blocks, and whole blocks with a remainder.
fn channels() -> impl Strategy<Value = usize> {
    prop_oneof![3 => 1..6usize, 1 => prop::sample::select(vec![8, 16, 20, 32])]
}

/// Generates the configuration of a layer.
pub fn layer_config() -> impl Strategy<Value = LayerConfig> {
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
            |(out, kernel, stride, padding, dilation, depthwise, bias)| LayerConfig::Conv {
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
        |(kernel, stride, padding, ceil)| LayerConfig::Max {
            kernel,
            stride,
            padding,
            ceil,
        },
    );
    let avg = (1..4usize, 1..3usize, any::<bool>()).prop_map(|(kernel, stride, include)| {
        LayerConfig::Avg {
            kernel,
            stride,
            include,
        }
    });
    let function = prop::sample::select(vec![
        FunctionKind::Relu,
        FunctionKind::Relu6,
        FunctionKind::Tanh,
        FunctionKind::Sigmoid,
        FunctionKind::Scale,
        FunctionKind::Halve,
        FunctionKind::Identity,
    ]);
    prop_oneof![
        4 => conv,
        2 => Just(LayerConfig::Norm),
        2 => max,
        1 => avg,
        1 => Just(LayerConfig::Lrn),
        2 => channels().prop_map(|out| LayerConfig::Residual { out }),
        1 => [channels(), channels()].prop_map(|channels| LayerConfig::Siblings { channels }),
        3 => function.prop_map(LayerConfig::Function),
    ]
}

impl Layer {
    /// Creates the layer for maps of the given shape, or returns `None` if its kernel exceeds the
    /// maps.
    fn new(
        config: &LayerConfig,
        [_, channels, height, width]: [usize; 4],
        device: &Device,
    ) -> Option<Self> {
        let shorter_side = height.min(width);
        Some(match *config {
            LayerConfig::Conv {
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
            LayerConfig::Norm => Self::Norm(BatchNormConfig::new(channels).init(device)),
            LayerConfig::Max {
                kernel,
                stride,
                padding,
                ceil,
            } if kernel <= shorter_side => {
                let p = usize::from(padding) * (kernel / 2);
                Self::Max(
                    MaxPool2dConfig::new([kernel; 2])
                        .with_strides([stride; 2])
                        .with_padding(PaddingConfig2d::Explicit(p, p, p, p))
                        .with_ceil_mode(ceil)
                        .init(),
                )
            }
            LayerConfig::Avg {
                kernel,
                stride,
                include,
            } if kernel <= shorter_side => Self::Avg(
                AvgPool2dConfig::new([kernel; 2])
                    .with_strides([stride; 2])
                    .with_count_include_pad(include)
                    .init(),
            ),
            LayerConfig::Max { .. } | LayerConfig::Avg { .. } => return None,
            LayerConfig::Lrn => Self::Lrn(LocalResponseNorm::default()),
            LayerConfig::Residual { out } => Self::Residual(Basic::init([channels, out], device)),
            LayerConfig::Siblings {
                channels: [left, right],
            } => {
                let conv =
                    |out, kernel| Conv2dConfig::new([channels, out], [kernel; 2]).init(device);
                Self::Siblings(Siblings {
                    left: conv(left, 1),
                    right: conv(right, 1),
                })
            }
            LayerConfig::Function(kind) => Self::Function(Function { kind }),
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
            Self::Siblings(Siblings { left, right }) => {
                Tensor::cat(vec![left.forward(x.clone()), right.forward(x)], 1)
            }
            Self::Function(function) => match function.kind {
                FunctionKind::Relu => activation::relu(x),
                FunctionKind::Relu6 => activation::relu6(x),
                FunctionKind::Tanh => x.tanh(),
                FunctionKind::Sigmoid => activation::sigmoid(x),
                FunctionKind::Scale => (x * 1.5 + 0.25) / 2.0 - 0.125,
                FunctionKind::Halve => {
                    let [batch, channels, ..] = x.dims();
                    x.slice([0..batch, 0..channels.div_ceil(2)])
                }
                FunctionKind::Identity => {
                    let shape = x.dims();
                    x.flatten::<2>(1, 3).reshape(shape) * 1.0
                }
            },
        }
    }

    /// Returns the costs of the layer's convolutions for one image, for an output of the given
    /// shape.
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
            Self::Siblings(Siblings { left, right }) => {
                vec![conv(left, output), conv(right, output)]
            }
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

/// A network of random layers and a classifier.
#[derive(Module, Debug)]
pub struct Random {
    layers: Vec<Layer>,
    classifier: Linear,
    #[module(skip)]
    mean: bool,
}

impl Random {
    /// Creates a network for images of `shape` from those of `configs` that fit, and returns its
    /// costs.
    pub fn init(
        configs: &[LayerConfig],
        shape: [usize; 4],
        mean: bool,
        device: &Device,
    ) -> (Self, Vec<Cost>) {
        let mut x = Tensor::zeros(shape, device);
        let mut layers = Vec::new();
        let mut costs = Vec::new();
        for config in configs {
            if let Some(layer) = Layer::new(config, x.dims(), device) {
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

    /// Returns the last feature maps and the class probabilities.
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
    fn graphs_match_their_networks(
        configs in prop::collection::vec(layer_config(), 0..7),
        batch in 1..3usize,
        size in [5..12usize, 5..12usize],
        mean in any::<bool>(),
    ) {
        let device = cpu();
        let shape = [batch, 3, size[0], size[1]];
        let images = Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device);

        let (network, costs) = Random::init(&configs, shape, mean, &device);
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
