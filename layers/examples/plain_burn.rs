//! Prints the costs of a network written with Burn's own layers, without this crate's `Network`
//! trait.
//!
//!     cargo run --example plain_burn

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d, Relu};
use burn::tensor::{Device, Tensor};
use receptive_layers::graph::Graph;
use receptive_layers::summary::Summary;

/// A residual block of two 3x3 convolutions.
#[derive(Module, Debug)]
struct Residual {
    first: Conv2d,
    norm: BatchNorm,
    second: Conv2d,
    relu: Relu,
}

impl Residual {
    fn new(channels: usize, device: &Device) -> Self {
        let same = Conv2dConfig::new([channels, channels], [3, 3])
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1));
        Self {
            first: same.init(device),
            norm: BatchNormConfig::new(channels).init(device),
            second: same.init(device),
            relu: Relu::new(),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = self
            .relu
            .forward(self.norm.forward(self.first.forward(x.clone())));
        self.relu.forward(self.second.forward(y) + x)
    }
}

/// A small classifier of RGB images.
#[derive(Module, Debug)]
pub struct PlainNet {
    stem: Conv2d,
    pool: MaxPool2d,
    blocks: Vec<Residual>,
    mean: AdaptiveAvgPool2d,
    classifier: Linear,
}

impl PlainNet {
    /// Creates a stem, two residual blocks of 32 channels and a classifier of ten classes.
    pub fn new(device: &Device) -> Self {
        Self {
            stem: Conv2dConfig::new([3, 32], [5, 5])
                .with_stride([2, 2])
                .init(device),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            blocks: (0..2).map(|_| Residual::new(32, device)).collect(),
            mean: AdaptiveAvgPool2dConfig::new([1, 1]).init(),
            classifier: LinearConfig::new(32, 10).init(device),
        }
    }

    /// Computes the logits `[batch, 10]` of images `[batch, 3, height, width]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut x = self.pool.forward(self.stem.forward(images));
        for block in &self.blocks {
            x = block.forward(x);
        }
        self.classifier.forward(self.mean.forward(x).flatten(1, 3))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let graph = Graph::trace(PlainNet::new, [1, 3, 64, 64], PlainNet::forward)?;
    let summary = Summary::from_graph(&graph, "plain")?;
    println!("{summary}\n");
    println!("{}", summary.grouped(1));
    Ok(())
}
