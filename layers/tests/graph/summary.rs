//! Tests of summaries against published numbers, and of the summary's tables.

use burn::module::{Module, Param};
use burn::nn::conv::{
    Conv1d, Conv1dConfig, Conv2d, Conv2dConfig, Conv3d, Conv3dConfig, ConvTranspose1d,
    ConvTranspose1dConfig, ConvTranspose2d, ConvTranspose2dConfig,
};
use burn::nn::interpolate::{Interpolate2dConfig, InterpolateMode};
use burn::nn::pool::AvgPool2dConfig;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Device, Tensor, activation, module};
use receptive_kernels::ops;
use receptive_layers::graph::Graph;
use receptive_layers::summary::Summary;

use crate::networks::{Branches, Residual, conv, max_pool};
use crate::plain_burn::PlainNet;

/// VGG16 (Simonyan and Zisserman, Very Deep Convolutional Networks, table 1, column D).
#[derive(Module, Debug)]
struct Vgg16 {
    features: Vec<Conv2d>,
    classifier: Vec<Linear>,
}

/// Output channels of the convolutions of each VGG16 stage.
const VGG16: [&[usize]; 5] = [
    &[64, 64],
    &[128, 128],
    &[256, 256, 256],
    &[512, 512, 512],
    &[512, 512, 512],
];

impl Vgg16 {
    fn init(device: &Device) -> Self {
        let mut from = 3;
        let mut features = Vec::new();
        for &to in VGG16.iter().copied().flatten() {
            features.push(conv([from, to], 3, device));
            from = to;
        }
        let classifier = [[512 * 7 * 7, 4096], [4096, 4096], [4096, 1000]];
        Self {
            features,
            classifier: classifier
                .map(|[from, to]| LinearConfig::new(from, to).init(device))
                .into(),
        }
    }

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut x = images;
        let mut convolutions = self.features.iter();
        for stage in VGG16 {
            for conv in convolutions.by_ref().take(stage.len()) {
                x = activation::relu(conv.forward(x));
            }
            x = max_pool(2, 2).forward(x);
        }
        let mut x = module::adaptive_avg_pool2d(x, [7, 7]).flatten(1, 3);
        for layer in &self.classifier[..2] {
            x = activation::relu(layer.forward(x));
        }
        self.classifier[2].forward(x)
    }
}

#[test]
fn vgg16_has_the_published_costs() {
    let graph = Graph::trace(Vgg16::init, [1, 3, 224, 224], Vgg16::forward).unwrap();
    let summary = Summary::from_graph(&graph, "vgg16").unwrap();
    assert_eq!(summary.parameters, 138_357_544);
    assert_eq!(summary.parameter_bytes.div_ceil(1 << 20), 528);
    assert_eq!(summary.macs, 15_470_264_320);
    assert_eq!(summary.activation_values, 15_237_608);
    assert_eq!(summary.activation_bytes, 4 * 15_237_608);
    assert_eq!(summary.receptive_field, Some([212, 212]));
    assert_eq!(summary.widest.as_deref(), Some("features.0"));
    assert_eq!(summary.fixed, 0);

    let layer = |name: &str| {
        let layers = summary.layers.iter();
        layers.clone().find(|layer| layer.name == name).expect(name)
    };
    assert_eq!(layer("features.0").formula, "64x3x3x3 + 64");
    assert_eq!(layer("features.0").activation.as_deref(), Some("relu"));
    assert_eq!(layer("classifier.0").formula, "4096x25088 + 4096");
    assert_eq!(layer("classifier.0").macs, 4096 * 25_088);
    assert_eq!(layer("features.maxpool5").output, [1, 512, 7, 7]);
    assert_eq!(summary.layers.len(), 13 + 5 + 3);
}

#[test]
fn costs_scale_with_the_batch_size() {
    let summary = |batch: usize| {
        let shape = [batch, 3, 16, 16];
        let graph = Graph::trace(Residual::init, shape, Residual::forward).unwrap();
        Summary::from_graph(&graph, "residual").unwrap()
    };
    let (one, three) = (summary(1), summary(3));
    assert_eq!(three.macs, 3 * one.macs);
    assert_eq!(three.activation_values, 3 * one.activation_values);
    assert_eq!(three.connections, one.connections);
    assert_eq!(three.parameters, one.parameters);
}

/// The original LeNet-5 (LeCun et al., Gradient-Based Learning Applied to Document Recognition,
/// 1998, section II.B).
#[derive(Module, Debug)]
struct LeNet {
    c1: Conv2d,
    s2: Subsampling,
    c3: Vec<Conv2d>,
    s4: Subsampling,
    c5: Conv2d,
    f6: Linear,
    centers: Tensor<2>,
}

#[derive(Module, Debug)]
struct Subsampling {
    coefficient: Param<Tensor<1>>,
    bias: Param<Tensor<1>>,
}

impl Subsampling {
    fn init(channels: usize, device: &Device) -> Self {
        Self {
            coefficient: Initializer::Ones.init([channels], device),
            bias: Initializer::Zeros.init([channels], device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let per_map = |values: &Param<Tensor<1>>| values.val().reshape([1, -1, 1, 1]);
        let mean = AvgPool2dConfig::new([2, 2]).init().forward(x);
        (mean * per_map(&self.coefficient) + per_map(&self.bias)).tanh()
    }
}

/// Number of S2's maps that each of C3's maps reads (table I).
const S2_MAPS: [usize; 16] = [3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 6];

impl LeNet {
    fn init(device: &Device) -> Self {
        let conv = |from, to| Conv2dConfig::new([from, to], [5, 5]).init(device);
        Self {
            c1: conv(1, 6),
            s2: Subsampling::init(6, device),
            c3: S2_MAPS.iter().map(|&maps| conv(maps, 1)).collect(),
            s4: Subsampling::init(16, device),
            c5: conv(16, 120),
            f6: LinearConfig::new(120, 84).init(device),
            centers: Tensor::zeros([10, 84], device),
        }
    }

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let squash = |x: Tensor<4>| (x * (2.0 / 3.0)).tanh() * 1.7159;
        let x = self.s2.forward(squash(self.c1.forward(images)));
        let maps = x.chunk(6, 1);
        let c3 = self.c3.iter().zip(S2_MAPS).map(|(conv, count)| {
            let inputs = Tensor::cat(maps[6 - count..].to_vec(), 1);
            conv.forward(inputs)
        });
        let x = self.s4.forward(squash(Tensor::cat(c3.collect(), 1)));
        let x = squash(self.c5.forward(x)).flatten(1, 3);
        ops::radial_basis(self.f6.forward(x).tanh(), self.centers.clone()).neg()
    }
}

#[test]
fn lenet_has_the_connections_of_1998() {
    let graph = Graph::trace(LeNet::init, [1, 1, 32, 32], LeNet::forward).unwrap();
    let summary = Summary::from_graph(&graph, "lenet5-1998").unwrap();
    assert_eq!(summary.parameters, 60_000);
    assert_eq!(summary.fixed, 840);
    assert_eq!(summary.connections, 340_908);
    insta::assert_snapshot!(summary.grouped(1));
}

#[test]
fn tables_are_aligned() {
    let graph = Graph::trace(Residual::init, [1, 3, 16, 16], Residual::forward).unwrap();
    let summary = Summary::from_graph(&graph, "residual").unwrap();
    insta::assert_snapshot!("residual", summary);
    insta::assert_snapshot!("residual_by_stage", summary.grouped(1));
    insta::assert_snapshot!("residual_by_block", summary.grouped(2));

    let graph = Graph::trace(Branches::init, [1, 3, 12, 12], Branches::forward).unwrap();
    insta::assert_snapshot!("branches", Summary::from_graph(&graph, "branches").unwrap());
}

#[test]
fn a_plain_burn_module_is_summarized() {
    let graph = Graph::trace(PlainNet::new, [1, 3, 64, 64], PlainNet::forward).unwrap();
    insta::assert_snapshot!("plain_burn", Summary::from_graph(&graph, "plain").unwrap());
}

#[test]
fn json_has_the_documented_keys() {
    let graph = Graph::trace(Residual::init, [1, 3, 16, 16], Residual::forward).unwrap();
    let summary = Summary::from_graph(&graph, "residual").unwrap();
    let json = serde_json::to_value(&summary).unwrap();
    assert_eq!(json["model"], "residual");
    assert_eq!(json["input"], serde_json::json!([1, 3, 16, 16]));
    assert_eq!(json["parameters"], summary.parameters);
    assert_eq!(json["macs"], summary.macs);
    assert_eq!(json["activation_values"], summary.activation_values);
    let first = &json["layers"][0];
    assert_eq!(first["name"], "conv1");
    assert_eq!(first["kind"], "conv 3x3");
    assert_eq!(first["output"], serde_json::json!([1, 4, 16, 16]));
    assert_eq!(first["parameters"], 4 * 3 * 9 + 4);
    assert_eq!(first["macs"], 4 * 3 * 9 * 16 * 16);
}

/// Layers that multiply, for maps of eight channels.
#[derive(Module, Debug)]
struct Products {
    transposed: ConvTranspose2d,
    grouped: ConvTranspose2d,
    transposed_line: ConvTranspose1d,
    line: Conv1d,
    volume: Conv3d,
    last: Linear,
    conv: Conv2d,
}

impl Products {
    fn new(device: &Device) -> Self {
        let transposed = ConvTranspose2dConfig::new([8, 4], [3, 2]).with_stride([2, 2]);
        Self {
            grouped: transposed.clone().with_groups(2).init(device),
            transposed: transposed.init(device),
            transposed_line: ConvTranspose1dConfig::new([8, 2], 5).init(device),
            line: Conv1dConfig::new(8, 6, 3).with_groups(2).init(device),
            volume: Conv3dConfig::new([4, 3], [2, 3, 3]).init(device),
            last: LinearConfig::new(8, 16).init(device),
            conv: Conv2dConfig::new([16, 2], [1, 1]).init(device),
        }
    }
}

/// The summary of `forward` for two images of eight channels and 6x5 pixels.
fn summary_of(forward: fn(&Products, Tensor<4>) -> Tensor<4>) -> Summary {
    let graph = Graph::trace(Products::new, [2, 8, 6, 5], forward).unwrap();
    Summary::from_graph(&graph, "products").unwrap()
}

#[test]
fn every_operation_that_multiplies_is_counted() {
    let macs = |forward| {
        let summary = summary_of(forward);
        assert!(summary.uncounted.is_empty(), "{:?}", summary.uncounted);
        summary.macs
    };
    // Each of the 2x8x30 elements is multiplied by 4x3x2 weights, or 2x3x2 in two groups.
    assert_eq!(macs(|net, x| net.transposed.forward(x)), 480 * 24);
    assert_eq!(macs(|net, x| net.grouped.forward(x)), 480 * 12);
    assert_eq!(
        macs(|net, x| net
            .transposed_line
            .forward(x.flatten::<3>(2, 3))
            .unsqueeze_dim(3)),
        480 * 2 * 5
    );
    // 2x6x28 sums of 4x3 products.
    assert_eq!(
        macs(|net, x| net.line.forward(x.flatten::<3>(2, 3)).unsqueeze_dim(3)),
        2 * 6 * 28 * 12
    );
    // 2x3x1x4x3 sums of 4x2x3x3 products.
    assert_eq!(
        macs(|net, x| net.volume.forward(x.reshape([2, 4, 2, 6, 5])).flatten(2, 3)),
        2 * 3 * 12 * 72
    );
    // 2x8x6x6 sums of 5 products.
    assert_eq!(
        macs(|_, x| x.clone().matmul(x.swap_dims(2, 3))),
        2 * 8 * 36 * 5
    );
    // 2x8x6x6 scores of 5 products, and 2x8x6x5 means of 6.
    let attention = macs(|_, x| {
        let options = AttentionModuleOptions::default();
        module::attention(x.clone(), x.clone(), x, None, None, options)
    });
    assert_eq!(attention, 2 * 8 * 36 * 5 + 2 * 8 * 30 * 6);
    assert_eq!(
        macs(|net, x| net.last.forward(x.permute([0, 2, 3, 1]))),
        2 * 30 * 8 * 16
    );
    // Element-wise arithmetic, activations and interpolation have none.
    let nearest = macs(|_, x| {
        let x = activation::gelu(x.clone()) * x.exp();
        Interpolate2dConfig::new()
            .with_output_size(Some([12, 10]))
            .with_mode(InterpolateMode::Nearest)
            .init()
            .forward(x)
    });
    assert_eq!(nearest, 0);
    let summary = summary_of(|net, x| net.transposed.forward(x));
    assert_eq!(summary.connections, 240 * 24 + 4 * 13 * 10);
}

#[test]
fn uncounted_operations_are_named() {
    let summary = summary_of(|net, x| {
        let x = Interpolate2dConfig::new()
            .with_output_size(Some([12, 10]))
            .with_mode(InterpolateMode::Cubic)
            .init()
            .forward(net.transposed.forward(x));
        x * 2.0
    });
    assert_eq!(summary.macs, 480 * 24);
    assert_eq!(summary.uncounted, ["interpolate: interpolate"]);
    let text = summary.to_string();
    assert!(
        text.contains("\nnot counted      interpolate: interpolate\n"),
        "{text}"
    );
    let row = text.lines().find(|line| line.starts_with("interpolate"));
    assert!(row.is_some_and(|row| row.ends_with('?')), "{text}");
    let json = serde_json::to_value(&summary).unwrap();
    assert_eq!(
        json["uncounted"],
        serde_json::json!(["interpolate: interpolate"])
    );
    assert_eq!(json["layers"][0]["uncounted"], serde_json::json!([]));
    assert_eq!(
        json["layers"][1]["uncounted"],
        serde_json::json!(["interpolate"])
    );
    assert_eq!(summary.grouped(0).layers[0].uncounted, ["interpolate"]);
}

#[test]
fn feature_maps_are_labelled_height_width_channels_in_every_layout() {
    let summary = summary_of(|net, x| {
        let last = net.last.forward(x.permute([0, 2, 3, 1]));
        net.conv.forward(last.permute([0, 3, 1, 2]))
    });
    let rows: Vec<(&[usize], usize)> = (summary.layers.iter())
        .map(|layer| (&layer.output[..], layer.channel_axis))
        .collect();
    assert_eq!(rows, [(&[2, 6, 5, 16][..], 3), (&[2, 2, 6, 5][..], 1)]);
    let text = summary.to_string();
    for (layer, shape) in [("last", " 6x5x16 "), ("conv", " 6x5x2 ")] {
        let row = text.lines().find(|line| line.starts_with(layer)).unwrap();
        assert!(row.contains(shape), "{text}");
    }
    // A sequence of vectors, and a line of pixels.
    let tokens = summary_of(|net, x| {
        let tokens = x.flatten::<3>(2, 3).swap_dims(1, 2);
        net.last.forward(tokens).unsqueeze_dim(3)
    });
    assert_eq!(tokens.layers[0].output, [2, 30, 16]);
    assert!(tokens.to_string().contains(" 30x16 "), "{tokens}");
    let line = summary_of(|net, x| net.line.forward(x.flatten::<3>(2, 3)).unsqueeze_dim(3));
    assert_eq!(
        (&line.layers[0].output[..], line.layers[0].channel_axis),
        (&[2, 6, 28, 1][..], 1)
    );
    assert!(line.to_string().contains(" 28x1x6 "), "{line}");
}
