//! Random small networks on every backend, against float64 loops.

use burn::nn::PaddingConfig2d;
use burn::nn::pool::{AvgPool2dConfig, MaxPool2dConfig};
use burn::tensor::{Device, Tensor, TensorData};
use proptest::prelude::*;
use receptive_layers::block::{Activation, ConvBlockConfig, LocalResponseNorm};
use receptive_layers::weights;
use receptive_tests::float64::{Map, Norm, Window};
use receptive_tests::{devices, formula};

const EPSILON: f64 = 1e-5;

/// A layer or block of a random network. A layer whose window does not fit its input is skipped.
#[derive(Debug, Clone)]
enum LayerSpec {
    Conv(Conv),
    LocalResponseNorm(LocalResponse),
    MaxPool { window: Window, ceil: bool },
    AveragePool(Window),
    Residual { width: usize, stride: usize },
    Inception { widths: [usize; 4] },
    DepthwiseSeparable { width: usize, stride: usize },
}

/// A [`ConvBlock`](receptive_layers::block::ConvBlock) for any number of input channels.
#[derive(Debug, Clone)]
struct Conv {
    width: Width,
    window: Window,
    norm: bool,
    activation: Activation,
}

/// The output channels and groups of a convolution.
#[derive(Debug, Clone, Copy)]
enum Width {
    /// This many channels in one group.
    Dense(usize),
    /// This many channels in each of two groups, or in one group if the number of input channels is
    /// odd.
    Halves(usize),
    /// This many channels per input channel.
    Depthwise(usize),
}

/// The constants of a local response normalization.
#[derive(Debug, Clone, Copy)]
struct LocalResponse {
    size: usize,
    alpha: f64,
    beta: f64,
    k: f64,
}

impl Conv {
    /// Returns a convolution with padding `kernel / 2`, batch norm and ReLU.
    fn relu(width: Width, kernel: usize, stride: usize) -> Self {
        Self {
            width,
            window: Window::new(kernel, stride, kernel / 2),
            norm: true,
            activation: Activation::Relu,
        }
    }

    /// Returns the output channels and the groups for `input` channels.
    fn channels(&self, input: usize) -> (usize, usize) {
        match self.width {
            Width::Halves(half) if input.is_multiple_of(2) => (2 * half, 2),
            Width::Dense(width) | Width::Halves(width) => (width, 1),
            Width::Depthwise(multiplier) => (input * multiplier, input),
        }
    }

    /// Returns the weights under their names in the block.
    fn tensors(&self, input: usize, salt: &str) -> Vec<(&'static str, TensorData)> {
        let (output, groups) = self.channels(input);
        let kernel = self.window.kernel;
        let mut tensors = vec![("conv.weight", vec![output, input / groups, kernel, kernel])];
        match self.norm {
            true => tensors.extend([
                ("bn.running_mean", vec![output]),
                ("bn.running_var", vec![output]),
                ("bn.weight", vec![output]),
                ("bn.bias", vec![output]),
            ]),
            false => tensors.push(("conv.bias", vec![output])),
        }
        tensors
            .into_iter()
            .map(|(name, shape)| {
                let values = formula::fill(salt, name, &shape, 1.4);
                (name, TensorData::new(values, shape))
            })
            .collect()
    }
}

/// The layers of a network, in float64 loops or on a backend.
trait Arithmetic: Clone {
    fn shape(&self) -> [usize; 4];
    fn convolve(&self, conv: &Conv, salt: &str) -> Self;
    fn respond_locally(&self, norm: LocalResponse) -> Self;
    fn pool_max(&self, window: Window, ceil: bool) -> Self;
    fn pool_average(&self, window: Window) -> Self;
    fn plus(&self, other: &Self) -> Self;
    fn side_by_side(maps: Vec<Self>) -> Self;
}

impl Arithmetic for Map {
    fn shape(&self) -> [usize; 4] {
        self.shape
    }

    fn convolve(&self, conv: &Conv, salt: &str) -> Self {
        let input = self.shape[1];
        let (output, groups) = conv.channels(input);
        let tensors = conv.tensors(input, salt);
        let values = |name: &str| -> Option<Vec<f64>> {
            let (_, data) = tensors.iter().find(|(n, _)| *n == name)?;
            Some(data.iter::<f64>().collect())
        };
        let kernel = conv.window.kernel;
        let weight = Map {
            shape: [output, input / groups, kernel, kernel],
            values: values("conv.weight").unwrap(),
        };
        let bias = values("conv.bias").unwrap_or_else(|| vec![0.0; output]);
        let mut map = Map::convolve(self, &weight, &bias, conv.window, groups);
        if conv.norm {
            map = map.normalize(&Norm {
                mean: values("bn.running_mean").unwrap(),
                variance: values("bn.running_var").unwrap(),
                scale: values("bn.weight").unwrap(),
                shift: values("bn.bias").unwrap(),
                epsilon: EPSILON,
            });
        }
        map.map(|v| match conv.activation {
            Activation::Identity => v,
            Activation::Relu => v.max(0.0),
            Activation::Relu6 => v.clamp(0.0, 6.0),
            Activation::Tanh => v.tanh(),
            other => panic!("no loop for {other:?}"),
        })
    }

    fn respond_locally(&self, norm: LocalResponse) -> Self {
        Map::respond_locally(self, norm.size, norm.alpha, norm.beta, norm.k)
    }

    fn pool_max(&self, window: Window, ceil: bool) -> Self {
        self.max_pool(window, ceil)
    }

    fn pool_average(&self, window: Window) -> Self {
        self.average_pool(window)
    }

    fn plus(&self, other: &Self) -> Self {
        self.add(other)
    }

    fn side_by_side(maps: Vec<Self>) -> Self {
        Map::concatenate(&maps)
    }
}

impl Arithmetic for Tensor<4> {
    fn shape(&self) -> [usize; 4] {
        self.dims()
    }

    fn convolve(&self, conv: &Conv, salt: &str) -> Self {
        let input = self.dims()[1];
        let (output, groups) = conv.channels(input);
        let block = ConvBlockConfig {
            stride: conv.window.stride,
            padding: conv.window.padding,
            groups,
            norm: conv.norm.then_some(EPSILON),
            activation: conv.activation,
            ..ConvBlockConfig::new([input, output], conv.window.kernel)
        }
        .init(&self.device());
        let tensors = conv.tensors(input, salt).into_iter();
        let tensors = tensors
            .map(|(name, data)| (name.to_owned(), data))
            .collect();
        weights::load_module(block, &tensors)
            .unwrap()
            .forward(self.clone())
    }

    fn respond_locally(&self, norm: LocalResponse) -> Self {
        LocalResponseNorm {
            size: norm.size,
            alpha: norm.alpha,
            beta: norm.beta,
            k: norm.k,
        }
        .forward(self.clone())
    }

    fn pool_max(&self, window: Window, ceil: bool) -> Self {
        let p = window.padding;
        MaxPool2dConfig::new([window.kernel; 2])
            .with_strides([window.stride; 2])
            .with_padding(PaddingConfig2d::Explicit(p, p, p, p))
            .with_ceil_mode(ceil)
            .init()
            .forward(self.clone())
    }

    fn pool_average(&self, window: Window) -> Self {
        AvgPool2dConfig::new([window.kernel; 2])
            .with_strides([window.stride; 2])
            .init()
            .forward(self.clone())
    }

    fn plus(&self, other: &Self) -> Self {
        self.clone() + other.clone()
    }

    fn side_by_side(maps: Vec<Self>) -> Self {
        Tensor::cat(maps, 1)
    }
}

impl LayerSpec {
    /// Computes the layer on `x`, with weights that depend on `salt`.
    fn run<A: Arithmetic>(&self, x: &A, salt: &str) -> A {
        let [_, channels, height, width] = x.shape();
        let fits = |w: Window| w.kernel <= height.min(width) + 2 * w.padding;
        let conv = |x: &A, width, kernel, stride, name: &str| {
            let conv = Conv::relu(width, kernel, stride);
            x.convolve(&conv, &format!("{salt}/{name}"))
        };
        match *self {
            LayerSpec::Conv(ref conv) if fits(conv.window) => x.convolve(conv, salt),
            LayerSpec::LocalResponseNorm(norm) => x.respond_locally(norm),
            LayerSpec::MaxPool { window, ceil } if fits(window) => x.pool_max(window, ceil),
            LayerSpec::AveragePool(window) if fits(window) => x.pool_average(window),
            LayerSpec::Residual { width, stride } => {
                let residual = conv(x, Width::Dense(width), 3, stride, "conv1");
                let residual = conv(&residual, Width::Dense(width), 3, 1, "conv2");
                if stride == 1 && width == channels {
                    return residual.plus(x);
                }
                residual.plus(&conv(x, Width::Dense(width), 1, stride, "shortcut"))
            }
            LayerSpec::Inception { widths } => {
                let [one, three, five, pool] = widths.map(Width::Dense);
                A::side_by_side(vec![
                    conv(x, one, 1, 1, "conv1x1"),
                    conv(&conv(x, one, 1, 1, "reduce3x3"), three, 3, 1, "conv3x3"),
                    conv(&conv(x, one, 1, 1, "reduce5x5"), five, 5, 1, "conv5x5"),
                    conv(
                        &x.pool_max(Window::new(3, 1, 1), false),
                        pool,
                        1,
                        1,
                        "pool_proj",
                    ),
                ])
            }
            LayerSpec::DepthwiseSeparable { width, stride } => {
                let depthwise = conv(x, Width::Depthwise(1), 3, stride, "depthwise");
                conv(&depthwise, Width::Dense(width), 1, 1, "pointwise")
            }
            LayerSpec::Conv(_) | LayerSpec::MaxPool { .. } | LayerSpec::AveragePool(_) => x.clone(),
        }
    }
}

/// A random network and the shape of its input.
#[derive(Debug, Clone)]
struct RandomNetwork {
    shape: [usize; 4],
    salt: u32,
    layers: Vec<LayerSpec>,
}

impl RandomNetwork {
    /// Computes the output of the network.
    fn run<A: Arithmetic>(&self, images: A) -> A {
        let layers = self.layers.iter().enumerate();
        layers.fold(images, |x, (i, layer)| {
            layer.run(&x, &format!("{}/{i}", self.salt))
        })
    }

    /// Compares the outputs on `device` with the float64 loops. The largest accepted difference is
    /// `tolerance` times the largest expected magnitude, which counts as at least 1. Images are in
    /// [-1, 1], and no layer increases the magnitude much.
    fn assert_agrees(&self, device: &Device, tolerance: f64) {
        let images = formula::images(&self.salt.to_string(), self.shape);
        let expected = self.run(Map {
            shape: self.shape,
            values: images.iter().copied().map(f64::from).collect(),
        });
        let images = TensorData::new(images, self.shape);
        let found = self.run(Tensor::<4>::from_data(images, device));

        assert_eq!(found.dims(), expected.shape);
        let largest = expected.values.iter().fold(1.0_f64, |m, v| m.max(v.abs()));
        for (i, (found, expected)) in found
            .into_data()
            .iter::<f64>()
            .zip(&expected.values)
            .enumerate()
        {
            assert!(
                (found - expected).abs() < tolerance * largest,
                "{device:?}, value {i}: {found}, expected {expected}"
            );
        }
    }
}

/// Generates windows with a padding of at most half the kernel.
fn window() -> impl Strategy<Value = Window> {
    (1..=5_usize, 1..=3_usize).prop_flat_map(|(kernel, stride)| {
        (0..=kernel / 2).prop_map(move |padding| Window::new(kernel, stride, padding))
    })
}

/// Generates layers.
fn layer() -> impl Strategy<Value = LayerSpec> {
    let activation = prop_oneof![
        Just(Activation::Identity),
        Just(Activation::Relu),
        Just(Activation::Relu6)
    ];
    let width = prop_oneof![
        (1..=8_usize).prop_map(Width::Dense),
        (1..=4_usize).prop_map(Width::Halves),
        (1..=2_usize).prop_map(Width::Depthwise),
    ];
    let conv = (width, window(), any::<bool>(), activation).prop_map(
        |(width, window, norm, activation)| {
            LayerSpec::Conv(Conv {
                width,
                window,
                norm,
                activation,
            })
        },
    );
    let response = (0..=3_usize, 1e-4..1.0, 0.25..1.0, 0.5..2.0).prop_map(
        |(half, alpha, beta, k): (usize, f64, f64, f64)| {
            LayerSpec::LocalResponseNorm(LocalResponse {
                size: 2 * half + 1,
                alpha,
                beta,
                k,
            })
        },
    );
    let unpadded = window().prop_map(|window| Window {
        padding: 0,
        ..window
    });
    prop_oneof![
        3 => conv,
        1 => response,
        2 => (window(), any::<bool>()).prop_map(|(window, ceil)| LayerSpec::MaxPool { window, ceil }),
        1 => unpadded.prop_map(LayerSpec::AveragePool),
        1 => (1..=6_usize, 1..=2_usize)
            .prop_map(|(width, stride)| LayerSpec::Residual { width, stride }),
        1 => prop::array::uniform4(1..=4_usize).prop_map(|widths| LayerSpec::Inception { widths }),
        1 => (1..=6_usize, 1..=2_usize)
            .prop_map(|(width, stride)| LayerSpec::DepthwiseSeparable { width, stride }),
    ]
}

/// Generates networks of up to five layers.
fn network() -> impl Strategy<Value = RandomNetwork> {
    let shape = (1..=2_usize, 1..=6_usize, 1..=12_usize, 1..=12_usize);
    (shape, any::<u32>(), prop::collection::vec(layer(), 1..=5)).prop_map(
        |((batch, channels, height, width), salt, layers)| RandomNetwork {
            shape: [batch, channels, height, width],
            salt,
            layers,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_networks_agree_on_ndarray(network in network()) {
        network.assert_agrees(&devices::ndarray(), 1e-5);
    }

    #[test]
    fn random_networks_agree_on_flex(network in network()) {
        network.assert_agrees(&devices::flex(), 1e-5);
    }
}

// Only two networks: a software driver takes a second to compile each kernel.
#[cfg(feature = "wgpu")]
#[test]
fn chosen_networks_agree_on_wgpu() {
    let Some(device) = devices::wgpu() else {
        return;
    };
    let response = LocalResponse {
        size: 5,
        alpha: 1e-2,
        beta: 0.75,
        k: 2.0,
    };
    let alexnet_like = vec![
        LayerSpec::Conv(Conv {
            norm: false,
            ..Conv::relu(Width::Dense(6), 5, 2)
        }),
        LayerSpec::MaxPool {
            window: Window::new(3, 2, 0),
            ceil: true,
        },
        LayerSpec::LocalResponseNorm(response),
        LayerSpec::Conv(Conv::relu(Width::Halves(4), 3, 1)),
        LayerSpec::AveragePool(Window::new(2, 2, 0)),
    ];
    let modern = vec![
        LayerSpec::Inception {
            widths: [1, 2, 3, 4],
        },
        LayerSpec::DepthwiseSeparable {
            width: 10,
            stride: 1,
        },
        LayerSpec::Residual {
            width: 10,
            stride: 1,
        },
        LayerSpec::Residual {
            width: 4,
            stride: 2,
        },
    ];
    for layers in [alexnet_like, modern] {
        let network = RandomNetwork {
            shape: [2, 3, 13, 15],
            salt: 1,
            layers,
        };
        network.assert_agrees(&device, 1e-4);
    }
}
