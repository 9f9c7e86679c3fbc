//! The table of docs/compiler.md of what compiles, checked row by row.

use burn::module::Module;
use burn::nn::conv::{
    Conv1d, Conv1dConfig, Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig,
};
use burn::nn::interpolate::Interpolate2dConfig;
use burn::nn::pool::{AdaptiveAvgPool2dConfig, AvgPool2dConfig, MaxPool2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, GroupNorm, GroupNormConfig, InstanceNorm, InstanceNormConfig,
    LayerNorm, LayerNormConfig, Linear, LinearConfig, LocalResponseNormConfig, PRelu, PReluConfig,
    PaddingConfig2d,
};
use burn::tensor::ops::{AttentionModuleOptions, PadMode};
use burn::tensor::{Device, Int, Tensor, TensorData, activation, module, s};
use receptive_layers::block::LocalResponseNorm;
use receptive_layers::compile::{Compiled, Options};
use receptive_layers::graph::Graph;

use crate::networks::cpu;
use crate::noise::{difference, largest, noise};

/// Layers for maps of eight channels.
#[derive(Module, Debug)]
struct Layers {
    conv: Conv2d,
    strided: Conv2d,
    narrow: Conv2d,
    linear: Linear,
    across: Linear,
    batch_norm: BatchNorm,
    prelu: PRelu,
    group_norm: GroupNorm,
    layer_norm: LayerNorm,
    instance_norm: InstanceNorm,
    transposed: ConvTranspose2d,
    one_dimensional: Conv1d,
}

impl Layers {
    fn new(device: &Device) -> Self {
        Self {
            conv: Conv2dConfig::new([8, 8], [3, 3])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(device),
            strided: Conv2dConfig::new([8, 16], [3, 2])
                .with_stride([2, 1])
                .with_dilation([1, 2])
                .with_padding(PaddingConfig2d::Explicit(2, 0, 1, 1))
                .with_groups(4)
                .init(device),
            narrow: Conv2dConfig::new([8, 1], [1, 1]).init(device),
            linear: LinearConfig::new(8 * 36, 5).init(device),
            across: LinearConfig::new(8, 8).init(device),
            batch_norm: BatchNormConfig::new(8).init(device),
            prelu: PReluConfig::new().with_num_parameters(8).init(device),
            group_norm: GroupNormConfig::new(2, 8).init(device),
            layer_norm: LayerNormConfig::new(6).init(device),
            instance_norm: InstanceNormConfig::new(8).init(device),
            transposed: ConvTranspose2dConfig::new([8, 4], [2, 2])
                .with_stride([2, 2])
                .init(device),
            one_dimensional: Conv1dConfig::new(8, 8, 3).init(device),
        }
    }
}

/// The shape of the images.
const SHAPE: [usize; 4] = [2, 8, 6, 6];

type Forward = fn(&Layers, Tensor<4>) -> Tensor<4>;

/// Each row of the table, in order: the text, and functions that all compile, or that all do not.
const ROWS: &[(&str, bool, &[Forward])] = &[
    (
        "`Conv2d` of any kernel, stride, padding, dilation and groups",
        true,
        &[
            |net, x| net.conv.forward(x),
            |net, x| net.strided.forward(x),
        ],
    ),
    (
        "`Linear` of a vector or of flattened maps",
        true,
        &[|net, x| {
            net.linear
                .forward(x.flatten::<2>(1, 3))
                .reshape([2, 5, 1, 1])
        }],
    ),
    (
        "`BatchNorm` with running statistics",
        true,
        &[
            |net, x| net.batch_norm.forward(net.conv.forward(x)),
            |net, x| net.batch_norm.forward(x),
        ],
    ),
    (
        "`MaxPool2d`, `AvgPool2d`, `AdaptiveAvgPool2d`; `mean_dims` over height and width",
        true,
        &[
            |_, x| {
                MaxPool2dConfig::new([3, 3])
                    .with_strides([2, 2])
                    .with_ceil_mode(true)
                    .init()
                    .forward(x)
            },
            |_, x| {
                AvgPool2dConfig::new([3, 2])
                    .with_padding(PaddingConfig2d::Explicit(1, 0, 1, 0))
                    .init()
                    .forward(x)
            },
            |_, x| AdaptiveAvgPool2dConfig::new([4, 1]).init().forward(x),
            |_, x| x.mean_dims(&[2, 3]),
            |_, x| x.mean_dim(2),
        ],
    ),
    (
        "`relu`, `relu6`, `clamp`, `tanh`, `sigmoid`, `silu`",
        true,
        &[
            |_, x| activation::relu(x),
            |_, x| activation::relu6(x),
            |_, x| x.clamp(-0.5, 0.5),
            |_, x| x.clamp_max(0.5),
            |_, x| x.tanh(),
            |_, x| activation::sigmoid(x),
            |_, x| activation::silu(x),
        ],
    ),
    (
        "`softmax` over the channels",
        true,
        &[|_, x| activation::softmax(x, 1)],
    ),
    (
        "`LocalResponseNorm` of `receptive_layers::block`",
        true,
        &[|_, x| LocalResponseNorm::default().forward(x)],
    ),
    (
        "`+ - * /` of maps of one shape, or of maps of one and of many channels",
        true,
        &[
            |net, x| net.conv.forward(x.clone()) + x,
            |net, x| net.conv.forward(x.clone()) * activation::sigmoid(x),
            |net, x| activation::sigmoid(net.narrow.forward(x.clone())) * x,
            |_, x| x.clone().slice(s![.., 2..3]) - x,
        ],
    ),
    (
        "`+ - * /` of maps and a number, or one weight for each channel",
        true,
        &[
            |_, x| (x * 2.0 - 0.5) / 3.0,
            |net, x| x * net.prelu.alpha.val().reshape([1, 8, 1, 1]),
            |net, x| x.slice(s![.., ..1]) * net.prelu.alpha.val().reshape([1, 8, 1, 1]),
        ],
    ),
    (
        "`cat` along the channels, also of one map twice",
        true,
        &[
            |net, x| Tensor::cat(vec![net.conv.forward(x.clone()), x], 1),
            |_, x| Tensor::cat(vec![x.clone(), x.clone().slice(s![.., 3..8]), x], 1),
        ],
    ),
    (
        "`slice` of channels, rows and columns, with steps; `select` of channels",
        true,
        &[
            |_, x| x.slice(s![.., .., 1..3, 1..3]),
            |_, x| x.slice(s![.., 1..7;2, 1..6;3, 2..]),
            |net, x| {
                let y = net.strided.forward(x.clone());
                let [_, _, height, width] = y.dims();
                let x = x.slice(s![.., .., 1..1 + height, 1..1 + width]);
                Tensor::cat(vec![x, y], 1)
            },
            |_, x| {
                let channels = Tensor::<1, Int>::from_ints([5, 0, 5], &x.device());
                x.select(1, channels)
            },
        ],
    ),
    (
        "`pad` of channels, rows and columns with 0",
        true,
        &[
            |_, x| x.pad([(0, 0), (0, 0), (1, 0), (2, 1)], PadMode::Constant(0.0)),
            |net, x| {
                net.conv
                    .forward(x.pad([(0, 0), (0, 0), (1, 0), (2, 1)], PadMode::Constant(0.0)))
            },
        ],
    ),
    (
        "`reshape` and `flatten` of each image",
        true,
        &[|_, x| x.flatten::<2>(1, 3).reshape([2, 4, 12, 6])],
    ),
    (
        "`leaky_relu`, `prelu`, `gelu`, `elu`, `celu`, `selu`, `softplus`, `mish`, `hard_sigmoid`, `hard_swish`, `softsign`, `thresholded_relu`",
        true,
        &[
            |_, x| activation::gelu_approximate(x),
            |_, x| activation::celu(x, 0.7),
            |_, x| activation::selu(x),
            |_, x| activation::softsign(x),
            |_, x| activation::thresholded_relu(x, 0.3),
            |_, x| activation::mish(x.clone()) + activation::softplus(x, 1.0),
            |_, x| activation::elu(x, 0.5),
            |_, x| activation::leaky_relu(x, 0.1),
            |net, x| net.prelu.forward(x),
            |_, x| activation::gelu(x),
            |_, x| activation::elu(x, 1.0),
            |_, x| activation::softplus(x, 1.0),
            |_, x| activation::mish(x),
            |_, x| activation::hard_sigmoid(x, 0.2, 0.5),
            |_, x| activation::hard_swish(x),
        ],
    ),
    (
        "`+ - * /` of maps of different heights or widths, such as the gate `x * [b, c, 1, 1]`",
        true,
        &[|_, x| x.clone() * x.mean_dims(&[2, 3])],
    ),
    (
        "`GroupNorm`, `LayerNorm`, `InstanceNorm`; Burn's `LocalResponseNorm`",
        true,
        &[
            |net, x| net.group_norm.forward(x),
            |net, x| net.layer_norm.forward(x),
            |net, x| net.instance_norm.forward(x),
            |_, x| LocalResponseNormConfig::new(5).init().forward(x),
        ],
    ),
    (
        "`ConvTranspose2d`, `Interpolate2d`, `Conv1d`",
        true,
        &[
            |net, x| net.transposed.forward(x),
            |_, x| {
                Interpolate2dConfig::new()
                    .with_output_size(Some([12, 12]))
                    .init()
                    .forward(x)
            },
            |net, x| {
                net.one_dimensional
                    .forward(x.flatten::<3>(2, 3))
                    .reshape([2, 8, 34, 1])
            },
        ],
    ),
    (
        "`permute`, `swap_dims` and the channel shuffle; `Linear` along another axis than the channels of a vector",
        true,
        &[
            |_, x| x.permute([0, 2, 3, 1]),
            |_, x| {
                x.reshape([2, 2, 4, 6, 6])
                    .swap_dims(1, 2)
                    .reshape([2, 8, 6, 6])
            },
            |net, x| net.across.forward(x.permute([0, 2, 3, 1])),
        ],
    ),
    (
        "`matmul` of maps, and attention",
        true,
        &[
            |_, x| x.clone().matmul(x),
            |_, x| {
                let options = AttentionModuleOptions::default();
                module::attention(x.clone(), x.clone(), x, None, None, options)
            },
        ],
    ),
    (
        "`softmax` and `log_softmax` over any axis",
        true,
        &[
            |_, x| activation::softmax(x, 3),
            |_, x| activation::softmax(x, 2),
            |_, x| activation::log_softmax(x, 1),
            |_, x| activation::softmin(x, 3),
            |_, x| activation::log_sigmoid(x),
        ],
    ),
    (
        "`exp`, `log`, `sqrt`, `erf`, `abs`, `sin`, `cos`, `floor`, `ceil`, `round`, `recip`, `sign`, powers",
        true,
        &[
            |_, x| x.exp(),
            |_, x| x.abs().log(),
            |_, x| x.abs().log1p(),
            |_, x| x.abs().sqrt(),
            |_, x| x.erf(),
            |_, x| x.sin() + 0.5,
            |_, x| x.cos(),
            |_, x| (x * 3.0).floor(),
            |_, x| (x * 3.0).ceil(),
            |_, x| (x * 3.0).round(),
            |_, x| (x.abs() + 0.5).recip(),
            |_, x| x.sign(),
            |_, x| x.powf_scalar(2.0),
            |_, x| x.abs().powf_scalar(0.7),
            |_, x| (x.clone().abs() + 0.1).powf(x),
        ],
    ),
    (
        "`sum_dim`, `mean_dim`, `max_dim`, `min_dim`, `prod_dim` over any axis, and of all elements of an image",
        true,
        &[
            |_, x| x.sum_dim(1),
            |_, x| x.mean_dim(1),
            |_, x| x.max_dim(3),
            |_, x| x.min_dim(2),
            |_, x| x.prod_dim(3),
            |_, x| x.mean_dims(&[1, 3]),
            |_, x| x.clone() / x.powf_scalar(2.0).sum_dim(1).sqrt(),
        ],
    ),
    (
        "`flip`, `repeat_dim`, `expand`; `pad` with any number, reflected and with edges; `select`, `slice` and `cat` along any axis",
        true,
        &[
            |_, x| x.flip([2, 3]),
            |_, x| x.repeat_dim(3, 2),
            |_, x| x.mean_dim(3).expand([2, 8, 6, 6]),
            |_, x| x.pad([(0, 0), (0, 0), (1, 2), (0, 1)], PadMode::Constant(1.5)),
            |_, x| x.pad([(0, 0), (0, 0), (1, 2), (0, 1)], PadMode::Reflect),
            |_, x| x.pad([(0, 0), (0, 0), (1, 2), (0, 1)], PadMode::Edge),
            |_, x| {
                let columns = Tensor::<1, Int>::from_ints([5, 0, 5], &x.device());
                x.select(3, columns)
            },
            |_, x| Tensor::cat(vec![x.clone(), x.clone().slice(s![.., .., ..2, ..])], 2),
            |_, x| Tensor::cat(vec![x.clone(), x], 3),
        ],
    ),
    (
        "operations that combine images, for the recorded batch only",
        true,
        &[
            |_, x| x.clone() - x.mean_dim(0),
            |_, x| x.reshape([1, 16, 6, 6]),
            |_, x| x.permute([1, 0, 2, 3]),
        ],
    ),
    (
        "`cumsum`, `sort`, `argmax` and other indices, `gather` by computed indices, comparisons and masks",
        false,
        &[
            |_, x| x.cumsum(1),
            |_, x| x.sort(1),
            |_, x| x.clone().mask_fill(x.lower_equal_scalar(-0.5), 2.0),
        ],
    ),
];

/// Compiles `forward` and returns the difference of its output to Burn's, or the error.
fn compiled(net: &Layers, forward: Forward) -> Result<f32, String> {
    let images = noise(3, SHAPE.iter().product());
    let tensor = Tensor::from_data(TensorData::new(images.clone(), SHAPE), &cpu());
    let expected: Vec<f32> = forward(net, tensor).into_data().try_to_vec().unwrap();
    let graph = Graph::record(net, SHAPE, forward).map_err(|error| error.to_string())?;
    let compiled = Compiled::from_graph(graph, &Options::default());
    let mut compiled = compiled.map_err(|error| error.to_string())?;
    let found = compiled.run(&images).unwrap().into_first();
    Ok(difference(&found, &expected, largest(&expected)))
}

#[test]
fn the_documents_list_what_compiles() {
    let net = Layers::new(&cpu());
    let mut table = String::from("| in Burn | compiles |\n|---|---|\n");
    for (row, compiles, functions) in ROWS {
        table += &format!("| {row} | {} |\n", if *compiles { "yes" } else { "no" });
        for (index, &forward) in functions.iter().enumerate() {
            match compiled(&net, forward) {
                Ok(difference) => {
                    assert!(compiles, "{row}, function {index} compiles");
                    assert!(
                        difference < 1e-5,
                        "{row}, function {index}: {difference:.1e}"
                    );
                }
                Err(error) => {
                    assert!(!compiles, "{row}, function {index}: {error}");
                    assert!(
                        error.contains("cannot be compiled, expected "),
                        "{row}: {error}"
                    );
                }
            }
        }
    }
    let document = include_str!("../../../docs/compiler.md");
    assert!(
        document.contains(&table),
        "docs/compiler.md lacks the table\n{table}"
    );
}

#[test]
fn steps_of_a_transposed_convolution_have_its_multiply_adds() {
    for (kernel, stride) in [([3, 3], [2, 2]), ([2, 2], [2, 2]), ([3, 2], [1, 1])] {
        let init = |device: &Device| {
            ConvTranspose2dConfig::new([8, 4], kernel)
                .with_stride(stride)
                .init(device)
        };
        let forward = |conv: &ConvTranspose2d, x: Tensor<4>| conv.forward(x);
        let graph = Graph::trace(init, SHAPE, forward).unwrap();
        let compiled = Compiled::random(graph, 0, &Options::default()).unwrap();
        let found: u64 = compiled.steps().iter().map(|step| step.multiply_adds).sum();
        // Each element of two images is multiplied by the weights of all its outputs.
        let elements: usize = SHAPE.iter().product();
        let expected = elements * 4 * kernel[0] * kernel[1];
        assert_eq!(found, expected as u64, "{kernel:?}, stride {stride:?}");
    }
}
