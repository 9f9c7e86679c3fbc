//! Counts, draws and compiles a network that is written with Burn's own layers.
//!
//! ```text
//! cargo run --release -p receptive-vgg --example vgg-own-network
//! ```

use std::error::Error;
use std::fs;

use receptive_vgg::burn;
use receptive_vgg::burn::module::Module;
use receptive_vgg::burn::nn::conv::{Conv2d, Conv2dConfig};
use receptive_vgg::burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, Relu};
use receptive_vgg::burn::tensor::{Device, Tensor};
use receptive_vgg::compile::{Compiled, Options};
use receptive_vgg::drawing::Diagram;
use receptive_vgg::graph::Graph;
use receptive_vgg::summary::Summary;

/// Two convolutions, the mean of each map, and a classifier of ten classes.
#[derive(Module, Debug)]
struct Small {
    first: Conv2d,
    norm: BatchNorm,
    second: Conv2d,
    relu: Relu,
    head: Linear,
}

impl Small {
    fn new(device: &Device) -> Self {
        Self {
            first: Conv2dConfig::new([3, 32], [3, 3])
                .with_stride([2, 2])
                .init(device),
            norm: BatchNormConfig::new(32).init(device),
            second: Conv2dConfig::new([32, 64], [3, 3]).init(device),
            relu: Relu::new(),
            head: LinearConfig::new(64, 10).init(device),
        }
    }

    /// Maps `[batch, 3, height, width]` to `[batch, 10]`.
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self
            .relu
            .forward(self.norm.forward(self.first.forward(images)));
        let x = self.relu.forward(self.second.forward(x));
        self.head.forward(x.mean_dims(&[2, 3]).flatten(1, 3))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let network = Small::new(&Device::default());
    let graph = Graph::record(&network, [1, 3, 64, 64], Small::forward)?;
    println!("{}", Summary::from_graph(&graph, "small")?);
    let drawing = std::env::temp_dir().join("small.svg");
    fs::write(&drawing, Diagram::from_graph(&graph, "small", None).svg())?;
    println!("drawing: {}", drawing.display());

    let mut compiled = Compiled::from_graph(graph, &Options::default())?;
    let scores = compiled.run(&[0.5; 3 * 64 * 64])?.into_first();
    println!("scores: {scores:?}");
    Ok(())
}
