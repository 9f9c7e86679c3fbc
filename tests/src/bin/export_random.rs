//! Writes random small networks as ONNX files, with an input and Burn's output: `export_random SEED COUNT FOLDER`.
//!
//! Network `i` is a convolution and another operation, with random parameters. `i.onnx` is the file, `i.json` has the
//! shapes and values of input and output, and the name of the operation.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Linear, LinearConfig, PRelu, PReluConfig, PaddingConfig2d,
};
use burn::tensor::activation::{self, sigmoid, softmax};
use burn::tensor::module::{adaptive_avg_pool2d, avg_pool2d, interpolate, max_pool2d};
use burn::tensor::ops::{
    AvgPoolOptions, InterpolateMode, InterpolateOptions, MaxPoolOptions, PadMode,
};
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData, s};
use receptive_kernels::ops;
use receptive_layers::graph::Graph;
use receptive_onnx::{BatchSize, WriteOptions, write};
use receptive_tests::devices;
use serde_json::json;

/// Random numbers: the high bits of a linear congruential generator.
struct Draw(u64);

impl Draw {
    /// Returns a number from `from` to `to`.
    fn between(&mut self, from: usize, to: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        from + (self.0 >> 33) as usize % (to - from + 1)
    }

    fn pair(&mut self, from: usize, to: usize) -> [usize; 2] {
        [self.between(from, to), self.between(from, to)]
    }

    fn is_true(&mut self) -> bool {
        self.between(0, 1) == 1
    }

    /// Returns a number from -2 to 2.
    fn number(&mut self) -> f64 {
        self.between(0, 400) as f64 / 100.0 - 2.0
    }
}

#[derive(Module, Debug)]
struct Network {
    conv: Conv2d,
    norm: BatchNorm,
    linear: Linear,
    transposed: ConvTranspose2d,
    prelu: PRelu,
}

/// An operation on maps `[batch, channels, height, width]`.
type Operation = Box<dyn Fn(&Network, Tensor<4>) -> Tensor<4>>;

/// Names of the operations, beside [`FUNCTIONS`].
const OPERATIONS: [&str; 23] = [
    "norm",
    "max_pool",
    "avg_pool",
    "adaptive_pool",
    "slice",
    "softmax",
    "clamp",
    "pad",
    "mean",
    "select",
    "matmul",
    "lrn",
    "linear",
    "scalar",
    "concat",
    "conv_transpose",
    "prelu",
    "interpolate",
    "reduce",
    "pad_with_elements",
    "flip",
    "power",
    "radial_basis",
];

/// An operation without random options.
type Function = fn(Tensor<4>) -> Tensor<4>;

/// Operations without random options.
const FUNCTIONS: [(&str, Function); 36] = [
    ("leaky_relu", |x| activation::leaky_relu(x, 0.1)),
    ("elu", |x| activation::elu(x, 0.5)),
    ("selu", |x| activation::selu(x)),
    ("celu", |x| activation::celu(x, 0.7)),
    ("thresholded_relu", |x| activation::thresholded_relu(x, 0.3)),
    ("hard_sigmoid", |x| {
        activation::hard_sigmoid(x * 3.0, 0.3, 0.4)
    }),
    ("hard_swish", |x| activation::hard_swish(x * 4.0)),
    ("silu", |x| activation::silu(x)),
    ("silu_formula", |x| x.clone() * sigmoid(x)),
    ("mish", |x| activation::mish(x)),
    ("softplus", |x| activation::softplus(x, 1.0)),
    ("tanh_shrink", |x| activation::tanhshrink(x)),
    ("softsign", |x| activation::softsign(x)),
    ("gelu", |x| activation::gelu(x)),
    ("gelu_tanh", |x| activation::gelu_approximate(x)),
    ("erf", |x| x.erf()),
    ("exp", |x| x.exp()),
    ("log", |x| (x.abs() + 0.5).log()),
    ("log1p", |x| x.abs().log1p()),
    ("sqrt", |x| (x.abs() + 0.1).sqrt()),
    ("abs", |x| x.abs()),
    ("neg", |x| x.neg()),
    ("reciprocal", |x| (x.abs() + 0.5).recip()),
    ("sign", |x| x.sign()),
    ("floor", |x| (x * 3.0).floor()),
    ("ceil", |x| (x * 3.0).ceil()),
    ("round", |x| (x * 3.0).round()),
    ("sin", |x| (x * 3.0).sin()),
    ("cos", |x| (x * 3.0).cos()),
    ("log_softmax", |x| activation::log_softmax(x, 1)),
    ("softmin", |x| activation::softmin(x, 2)),
    ("log_sigmoid", |x| activation::log_sigmoid(x)),
    ("product", |x| x.prod_dim(3)),
    ("length", |x| {
        x.clone() / (x.powf_scalar(2.0).sum_dim(1) + 0.1).sqrt()
    }),
    ("mean_of_batch", |x| x.clone() - x.mean_dim(0)),
    ("repeat", |x| x.repeat_dim(3, 2)),
];

/// Returns a random operation called `name` for maps `[_, channels, height, width]`.
fn operation(name: &str, draw: &mut Draw, [channels, height, width]: [usize; 3]) -> Operation {
    let sizes = [height, width];
    match name {
        "norm" => Box::new(|network, x| sigmoid(network.norm.forward(x)).tanh()),
        "max_pool" => {
            let kernel = [0, 1].map(|axis| draw.between(1, sizes[axis].min(3)));
            let padding = kernel.map(|kernel| draw.between(0, kernel / 2));
            let dilation = [0, 1].map(|axis| match sizes[axis] > 2 * kernel[axis] {
                true => draw.between(1, 2),
                false => 1,
            });
            let options = MaxPoolOptions::new(kernel)
                .with_stride(draw.pair(1, 3))
                .with_padding(padding)
                .with_dilation(dilation);
            let options = MaxPoolOptions {
                ceil_mode: draw.is_true(),
                ..options
            };
            Box::new(move |_, x| max_pool2d(x, options.clone()))
        }
        "avg_pool" => {
            let kernel = [0, 1].map(|axis| draw.between(1, sizes[axis].min(3)));
            let padding = kernel.map(|kernel| draw.between(0, kernel / 2));
            let options = AvgPoolOptions::new(kernel)
                .with_stride(draw.pair(1, 3))
                .with_padding(padding)
                .with_count_include_pad(draw.is_true())
                .with_ceil_mode(draw.is_true());
            Box::new(move |_, x| avg_pool2d(x, options.clone()))
        }
        "adaptive_pool" => {
            let cells = sizes.map(|size| draw.between(1, size));
            Box::new(move |_, x| adaptive_avg_pool2d(x, cells))
        }
        "slice" => {
            let [top, left] = sizes.map(|size| draw.between(0, size - 1));
            let step = draw.between(1, 2) as isize;
            Box::new(move |_, x| x.slice(s![.., .., top..height;step, left..width]))
        }
        "softmax" => {
            let axis = draw.between(1, 3);
            Box::new(move |_, x| softmax(x, axis).permute([0, 2, 3, 1]))
        }
        "clamp" => {
            let (low, high) = (draw.number().min(0.0), draw.number().max(0.0));
            match draw.between(0, 2) {
                0 => Box::new(move |_, x| x.clamp(low, high)),
                1 => Box::new(move |_, x| x.clamp_min(low)),
                _ => Box::new(move |_, x| x.clamp_max(high)),
            }
        }
        "pad" => {
            let (padding, value) = ([draw.pair(0, 3), draw.pair(0, 3)], draw.number() as f32);
            let [[left, right], [top, bottom]] = padding;
            Box::new(move |_, x| x.pad((left, right, top, bottom), PadMode::Constant(value)))
        }
        "mean" => {
            let axis = draw.between(1, 3);
            Box::new(move |_, x| {
                let shape = x.dims();
                x.clone() - x.mean_dim(axis).expand(shape)
            })
        }
        "select" => {
            let count = draw.between(1, 2 * channels);
            let indices: Vec<i64> = (0..count)
                .map(|_| draw.between(0, channels - 1) as i64)
                .collect();
            Box::new(move |_, x| {
                let data = TensorData::new(indices.clone(), [indices.len()]);
                let indices = Tensor::<1, Int>::from_data(data, &x.device());
                x.select(1, indices)
            })
        }
        "matmul" => Box::new(|_, x| x.clone().matmul(x.swap_dims(2, 3))),
        "lrn" => {
            let size = 2 * draw.between(0, 2) + 1;
            // ONNX Runtime requires a positive alpha.
            let (alpha, k) = (0.01 + draw.number().abs(), 0.5 + draw.number().abs());
            Box::new(move |_, x| ops::local_response_norm(x, size, alpha, 0.75, k))
        }
        "linear" => Box::new(|network, x| network.linear.forward(x)),
        "scalar" => {
            let number = draw.number().abs() + 0.1;
            match draw.between(0, 3) {
                0 => Box::new(move |_, x| x + number),
                1 => Box::new(move |_, x| x - number),
                2 => Box::new(move |_, x| x * number),
                _ => Box::new(move |_, x| x / number),
            }
        }
        "concat" => {
            let (axis, first) = (draw.between(1, 3), draw.is_true());
            Box::new(move |_, x| {
                let zeros = Tensor::zeros(x.dims(), &x.device());
                let parts = match first {
                    true => vec![zeros, x.clone()],
                    false => vec![x.clone(), zeros],
                };
                let padded = Tensor::cat(parts, axis);
                let ones = Tensor::ones(x.dims(), &x.device());
                Tensor::cat(vec![padded, x.clone(), ones, x * 2.0], axis)
            })
        }
        "conv_transpose" => Box::new(|network, x| network.transposed.forward(x)),
        "prelu" => Box::new(|network, x| network.prelu.forward(x)),
        "interpolate" => {
            let modes = [InterpolateMode::Nearest, InterpolateMode::Bilinear];
            let size = sizes.map(|size| draw.between(1, 3 * size));
            let options = InterpolateOptions::new(modes[draw.between(0, 1)].clone())
                .with_align_corners(draw.is_true())
                .with_output_size(size);
            Box::new(move |_, x| interpolate(x, options.clone()))
        }
        "reduce" => {
            let (reduction, axis) = (draw.between(0, 4), draw.between(1, 3));
            Box::new(move |_, x| match reduction {
                0 => x.sum_dim(axis),
                1 => x.max_dim(axis),
                2 => x.min_dim(axis),
                3 => x.mean_dims(&[1, axis.max(2)]),
                _ => x.sum_dim(axis).sum_dim(2),
            })
        }
        "pad_with_elements" => {
            let sides = sizes.map(|size| draw.pair(0, size - 1));
            let mode = match draw.is_true() {
                true => PadMode::Reflect,
                false => PadMode::Edge,
            };
            let [rows, columns] = sides.map(|[before, after]| (before, after));
            Box::new(move |_, x| x.pad([(0, 0), (0, 0), rows, columns], mode))
        }
        "flip" => {
            let axes = [draw.between(1, 2), 3];
            Box::new(move |_, x| x.flip(axes))
        }
        "power" => {
            let exponent = draw.between(0, 3);
            Box::new(move |_, x| match exponent {
                0 => x.powf_scalar(2.0),
                1 => x.powf_scalar(3.0),
                2 => (x.abs() + 0.1).powf_scalar(0.7),
                _ => (x.clone().abs() + 0.1).powf(x),
            })
        }
        "radial_basis" => Box::new(|_, x| {
            let [batch, channels, height, width] = x.dims();
            let vectors: Tensor<2> = x.reshape([batch, channels * height * width]);
            let size = channels * height * width;
            let centres = Tensor::<2>::ones([3, size], &vectors.device()) * 0.25;
            ops::radial_basis(vectors, centres).reshape([batch, 3, 1, 1])
        }),
        name => {
            let mut functions = FUNCTIONS.iter().filter(|(other, _)| *other == name);
            let (_, function) = functions.next().expect("a function of the table");
            Box::new(|_, x| function(x))
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &'static str| arguments.next().ok_or(what);
    let seed: u64 = next("the seed is missing")?.parse()?;
    let count: u64 = next("the count is missing")?.parse()?;
    let folder = PathBuf::from(next("the folder is missing")?);
    let device = devices::flex();
    let names: Vec<&str> = OPERATIONS
        .into_iter()
        .chain(FUNCTIONS.iter().map(|(name, _)| *name))
        .collect();
    for index in 0..count {
        let mut draw = Draw(seed ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        draw.between(0, 1);
        device.seed(seed + index);
        let (round, position) = (index as usize / names.len(), index as usize % names.len());
        // Every operation is written for every opset.
        let opset = 13 + ((round + position) % 11) as i64;
        let json = export(
            names[position],
            opset,
            &mut draw,
            &device,
            &folder.join(format!("{index}.onnx")),
        )?;
        fs::write(folder.join(format!("{index}.json")), json)?;
    }
    Ok(())
}

/// Returns a random transposed convolution.
fn transposed(channels: usize, draw: &mut Draw) -> ConvTranspose2dConfig {
    let (kernel, stride, dilation) = (draw.pair(1, 3), draw.pair(1, 3), draw.pair(1, 2));
    let groups = if channels.is_multiple_of(2) {
        draw.between(1, 2)
    } else {
        1
    };
    let extra = [0, 1].map(|axis| draw.between(0, stride[axis].max(dilation[axis]) - 1));
    ConvTranspose2dConfig::new([channels, groups * draw.between(1, 3)], kernel)
        .with_stride(stride)
        .with_dilation(dilation)
        .with_padding_out(extra)
        .with_padding([0, 1].map(|axis| draw.between(0, (kernel[axis] - 1) * dilation[axis] / 2)))
        .with_groups(groups)
        .with_bias(draw.is_true())
}

/// Writes a random network with the operation `name`, and returns its input and output as JSON.
fn export(
    name: &str,
    opset: i64,
    draw: &mut Draw,
    device: &Device,
    path: &std::path::Path,
) -> Result<String, Box<dyn Error>> {
    let groups = draw.between(1, 2);
    let [inputs, channels] = draw.pair(1, 3).map(|n| n * groups);
    let (kernel, dilation) = (draw.pair(1, 3), draw.pair(1, 2));
    let extent = [0, 1].map(|axis| (kernel[axis] - 1) * dilation[axis] + 1);
    let size = extent.map(|extent| extent + draw.between(1, 6));
    let ([top, left], [bottom, right]) = (draw.pair(0, 2), draw.pair(0, 2));
    let conv = Conv2dConfig::new([inputs, channels], kernel)
        .with_groups(groups)
        .with_dilation(dilation)
        .with_stride(draw.pair(1, 2))
        .with_padding(PaddingConfig2d::Explicit(top, left, bottom, right))
        .with_bias(draw.is_true())
        .init(device);
    let images = draw.between(1, 3);
    let shape = [images, inputs, size[0], size[1]];
    let x = Tensor::<4>::random(shape, Distribution::Uniform(-1.0, 1.0), device);
    let [_, _, height, width] = conv.forward(x.clone()).dims();
    let network = Network {
        norm: BatchNormConfig::new(channels).init(device),
        linear: LinearConfig::new(width, draw.between(1, 5))
            .with_bias(draw.is_true())
            .init(device),
        transposed: transposed(channels, draw).init(device),
        prelu: PReluConfig::new()
            .with_num_parameters([1, channels][draw.between(0, 1)])
            .with_alpha(0.3)
            .init(device),
        conv,
    };
    let operation = operation(name, draw, [channels, height, width]);
    let forward = |network: &Network, x| operation(network, network.conv.forward(x));
    let recorded = [draw.between(1, 3), inputs, size[0], size[1]];
    let mut graph = Graph::record(&network, recorded, forward)?;
    let mut batch = BatchSize::Dynamic;
    if !graph.any_batch {
        graph = Graph::record(&network, shape, forward)?;
        batch = BatchSize::Recorded;
    }
    let options = WriteOptions {
        batch,
        opset,
        ..WriteOptions::default()
    };
    fs::write(path, write(&graph, &options)?)?;
    let y = forward(&network, x.clone());
    let output_shape = y.dims();
    let [input, output] = [x, y].map(|tensor| tensor.into_data().iter().collect::<Vec<f32>>());
    Ok(json!({
        "operation": name,
        "input_shape": shape,
        "input": input,
        "output_shape": output_shape,
        "output": output,
    })
    .to_string())
}
