//! LeNet-5 as usually taught today: dense C3, plain mean pooling, fully connected output.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use receptive_layers::block::{Activation, conv_norm, fully_connected, mean_pool};
use receptive_layers::labels::LabelSet;
use receptive_layers::network::{
    InputSpec, InvalidConfig, Network, NetworkConfig, Sizes, Stage, Variant,
};
use receptive_layers::preprocessing::Preprocessing;
use serde::{Deserialize, Serialize};

use crate::paper::{PAPER, STAGES};

/// Hyperparameters of a [`LeNet5`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeNet5Config {
    /// Number of classes, from 1 to 1,000,000.
    pub classes: usize,
}

impl LeNet5Config {
    /// LeNet-5 for the ten digits: 61,706 parameters.
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
            paper: PAPER,
            recipe: receptive_layers::recipe_file!("lenet5-mnist.toml"),
            labels: LabelSet::Mnist,
            preprocessing: Preprocessing::MNIST,
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

    fn build(&self, device: &Device) -> LeNet5 {
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

/// The layers of LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998, figure 2), modernised: C3 is a dense
/// convolution, subsampling is a plain mean, the activation is a plain tanh, and the output layer
/// is fully connected.
///
/// Weights and biases start uniform in `±1 / sqrt(fan_in)`, the default of deep learning libraries;
/// the narrower range of the paper's appendix A suits its steeper tanh.
#[derive(Module, Debug)]
pub struct LeNet5 {
    /// 5x5 convolution to 6 maps of 28x28.
    pub c1: Conv2d,
    /// Subsampling to 14x14.
    pub s2: AvgPool2d,
    /// 5x5 convolution to 16 maps of 10x10.
    pub c3: Conv2d,
    /// Subsampling to 5x5.
    pub s4: AvgPool2d,
    /// 5x5 convolution to 120 maps of 1x1.
    pub c5: Conv2d,
    /// Fully connected layer to 84 values.
    pub f6: Linear,
    /// Fully connected layer to the class scores.
    pub output: Linear,
}

impl LeNet5 {
    /// Computes the outputs of C1, S2, C3 and S4 (figure 2).
    fn maps(&self, images: Tensor<4>) -> [Tensor<4>; 4] {
        let conv_tanh = |conv, maps| conv_norm(conv, None, Activation::Tanh, maps);
        let c1 = conv_tanh(&self.c1, images);
        let s2 = mean_pool(&self.s2, c1.clone());
        let c3 = conv_tanh(&self.c3, s2.clone());
        let s4 = mean_pool(&self.s4, c3.clone());
        [c1, s2, c3, s4]
    }

    /// Computes the output of C5, `[batch, 120, 1, 1]`.
    fn c5(&self, s4: Tensor<4>) -> Tensor<4> {
        conv_norm(&self.c5, None, Activation::Tanh, s4)
    }
}

impl Network for LeNet5 {
    const HEAD: &'static [&'static str] = &["output"];

    const STAGES: &'static [Stage] = &STAGES;

    /// S4: the maps of C5 have one place.
    const LAST_MAPS: usize = 3;

    /// Maps `[batch, 1, 32, 32]` to the output of F6, `[batch, 84]`.
    fn embed(&self, images: Tensor<4>) -> Tensor<2> {
        let [.., s4] = self.maps(images);
        self.embed_maps(s4)
    }

    /// Maps the output of S4, `[batch, 16, 5, 5]`, to the output of F6, `[batch, 84]`.
    fn embed_maps(&self, s4: Tensor<4>) -> Tensor<2> {
        let c5 = self.c5(s4);
        fully_connected(&self.f6, c5.flatten(1, 3)).tanh()
    }

    fn classify(&self, f6: Tensor<2>) -> Tensor<2> {
        fully_connected(&self.output, f6)
    }

    /// Maps `[batch, 1, 32, 32]` to the outputs of C1 `[batch, 6, 28, 28]`, S2
    /// `[batch, 6, 14, 14]`, C3 `[batch, 16, 10, 10]`, S4 `[batch, 16, 5, 5]` and C5
    /// `[batch, 120, 1, 1]`, each after its activation.
    fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let [c1, s2, c3, s4] = self.maps(images);
        let c5 = self.c5(s4.clone());
        vec![c1, s2, c3, s4, c5]
    }

    fn with_new_heads(mut self, classes: usize) -> Self {
        let device = self.output.weight.lazy_device();
        self.output = LinearConfig::new(84, classes).init(&device);
        self
    }
}
