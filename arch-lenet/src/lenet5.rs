//! LeNet-5 as it is usually taught: dense C3, plain average pooling, linear output.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use receptive_layers::block::{Activation, conv_norm, fully_connected, mean_pool};
use receptive_layers::network::{
    InputSpec, InvalidConfig, Network, NetworkConfig, Sizes, Stage, Variant,
};
use serde::{Deserialize, Serialize};

/// Hyperparameters of a [`LeNet5`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeNet5Config {
    /// Classes that the output tells apart, from 1 to 1,000,000.
    pub classes: usize,
}

impl LeNet5Config {
    /// Ten digits, 61,706 parameters.
    pub fn lenet5() -> Self {
        Self { classes: 10 }
    }
}

impl NetworkConfig for LeNet5Config {
    type Network = LeNet5;

    fn variants() -> Vec<Variant<Self>> {
        vec![Variant {
            name: "lenet5",
            config: Self::lenet5(),
            checkpoints: &[],
        }]
    }

    fn input(&self) -> InputSpec {
        InputSpec {
            channels: 1,
            size: 32,
            accepts: Sizes::Published,
        }
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn with_classes(self, classes: usize) -> Self {
        Self { classes }
    }

    fn validate(&self) -> Result<(), InvalidConfig> {
        InvalidConfig::unless_classes(self.classes)
    }

    fn init(&self, device: &Device) -> LeNet5 {
        self.validate().expect("a valid configuration");
        LeNet5 {
            c1: Conv2dConfig::new([1, 6], [5, 5]).init(device),
            s2: AvgPool2dConfig::new([2, 2]).init(),
            c3: Conv2dConfig::new([6, 16], [5, 5]).init(device),
            s4: AvgPool2dConfig::new([2, 2]).init(),
            c5: Conv2dConfig::new([16, 120], [5, 5]).init(device),
            f6: LinearConfig::new(120, 84).init(device),
            output: LinearConfig::new(84, self.classes).init(device),
        }
    }
}

/// The layers of LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998, figure 2) with today's parts: every
/// map of C3 sees all of S2, subsampling is a plain mean, the squashing function a plain tanh, and
/// the output fully connected.
///
/// Weights and biases start uniform within `1 / sqrt(fan in)`, as deep learning libraries have it;
/// the narrower range of the paper's appendix A belongs to its steeper tanh.
#[derive(Module, Debug)]
pub struct LeNet5 {
    /// 5x5 to 6 maps of 28x28.
    pub c1: Conv2d,
    /// To 14x14.
    pub s2: AvgPool2d,
    /// 5x5 to 16 maps of 10x10.
    pub c3: Conv2d,
    /// To 5x5.
    pub s4: AvgPool2d,
    /// 5x5 to 120 maps of 1x1.
    pub c5: Conv2d,
    /// To 84 values.
    pub f6: Linear,
    /// To the class scores.
    pub output: Linear,
}

impl LeNet5 {
    fn stages(&self, images: Tensor<4>) -> [Tensor<4>; 5] {
        let conv = |conv, maps| conv_norm(conv, None, Activation::Tanh, maps);
        let c1 = conv(&self.c1, images);
        let s2 = mean_pool(&self.s2, c1.clone());
        let c3 = conv(&self.c3, s2.clone());
        let s4 = mean_pool(&self.s4, c3.clone());
        let c5 = conv(&self.c5, s4.clone());
        [c1, s2, c3, s4, c5]
    }
}

impl Network for LeNet5 {
    const HEAD: &'static [&'static str] = &["output"];

    const STAGES: &'static [Stage] = &crate::STAGES;

    /// `[batch, 1, 32, 32]` to `[batch, classes]`.
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let [.., c5] = self.stages(images);
        let f6 = fully_connected(&self.f6, c5.flatten(1, 3)).tanh();
        fully_connected(&self.output, f6)
    }

    /// `[batch, 1, 32, 32]` to C1 `[6, 28, 28]`, S2 `[6, 14, 14]`, C3 `[16, 10, 10]`,
    /// S4 `[16, 5, 5]`, C5 `[120, 1, 1]`, each after its activation.
    fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        self.stages(images).to_vec()
    }

    fn with_classes(mut self, classes: usize) -> Self {
        let device = self.output.weight.lazy_device();
        self.output = LinearConfig::new(84, classes).init(&device);
        self
    }
}
