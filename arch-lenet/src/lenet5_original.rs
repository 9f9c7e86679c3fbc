//! LeNet-5 as published in 1998.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use receptive_layers::block::{RadialBasis, convolve, fully_connected};
use receptive_layers::labels::LabelSet;
use receptive_layers::network::{
    InputSpec, InvalidConfig, Network, NetworkConfig, Sizes, Stage, Variant,
};
use receptive_layers::preprocessing::Preprocessing;
use serde::{Deserialize, Serialize};

use crate::bitmaps;
use crate::paper::{PAPER, STAGES};
use crate::partial_conv::{C3_CONNECTIONS, PartialConv2d};
use crate::subsampling::Subsampling;

/// Hyperparameters of a [`LeNet5Original`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeNet5OriginalConfig {
    /// Number of classes, from 1 to 1,000,000: the ten digits, then classes with
    /// [random codes](crate::code).
    pub classes: usize,
}

impl LeNet5OriginalConfig {
    /// The paper's network for the ten digits: 60,000 trainable parameters.
    pub fn lenet5_1998() -> Self {
        Self { classes: 10 }
    }
}

impl NetworkConfig for LeNet5OriginalConfig {
    type Network = LeNet5Original;

    fn variants() -> Vec<Variant<Self>> {
        vec![Variant {
            name: "lenet5-1998",
            config: Self::lenet5_1998(),
            paper: PAPER,
            recipe: receptive_layers::recipe_file!("lenet5-1998-mnist.toml"),
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

    fn build(&self, device: &Device) -> LeNet5Original {
        LeNet5Original {
            c1: Conv2dConfig::new([1, 6], [5, 5])
                .with_initializer(uniform(5 * 5))
                .init(device),
            s2: Subsampling::init(6, device),
            c3: PartialConv2d::init(&C3_CONNECTIONS, 5, device),
            s4: Subsampling::init(16, device),
            c5: Conv2dConfig::new([16, 120], [5, 5])
                .with_initializer(uniform(16 * 5 * 5))
                .init(device),
            f6: LinearConfig::new(120, 84)
                .with_initializer(uniform(120))
                .init(device),
            output: output(self.classes, device),
        }
    }
}

/// Returns the initial distribution of weights and biases: uniform in `±2.4 / fan_in` (appendix A).
fn uniform(fan_in: usize) -> Initializer {
    let bound = 2.4 / fan_in as f64;
    Initializer::Uniform {
        min: -bound,
        max: bound,
    }
}

/// Builds the output layer, its centres at the bitmaps of the classes.
fn output(classes: usize, device: &Device) -> RadialBasis {
    let codes: Vec<f32> = (0..classes).flat_map(bitmaps::code).collect();
    let width = bitmaps::WIDTH * bitmaps::HEIGHT;
    RadialBasis {
        centers: Tensor::from_data(TensorData::new(codes, [classes, width]), device),
    }
}

/// Computes the paper's squashing function, `1.7159 tanh(2/3 x)` (section II.B, equation 6). The
/// function maps -1 to -1 and 1 to 1, the points of its largest curvature (appendix A).
fn squash<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    (x * (2.0 / 3.0)).tanh() * 1.7159
}

/// LeNet-5 (LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document
/// Recognition, 1998, section II.B and figure 2): 60,000 trainable parameters, 340,908 connections.
///
/// Images are 32x32 pixels, with values of -0.1 for the background and 1.175 for ink (section
/// II.B).
#[derive(Module, Debug)]
pub struct LeNet5Original {
    /// 5x5 convolution to 6 maps of 28x28: 156 parameters.
    pub c1: Conv2d,
    /// Subsampling to 14x14: 12 parameters.
    pub s2: Subsampling,
    /// 5x5 convolution to 16 maps of 10x10, connected as Table I says: 1,516 parameters.
    pub c3: PartialConv2d,
    /// Subsampling to 5x5: 32 parameters.
    pub s4: Subsampling,
    /// 5x5 convolution to 120 maps of 1x1: 48,120 parameters.
    pub c5: Conv2d,
    /// Fully connected layer to the 84 pixels of a 7x12 bitmap: 10,164 parameters.
    pub f6: Linear,
    /// Squared distance to the bitmap of each class: no trainable parameters.
    pub output: RadialBasis,
}

impl LeNet5Original {
    /// Computes the outputs of C1, S2, C3 and S4 (figure 2).
    fn maps(&self, images: Tensor<4>) -> [Tensor<4>; 4] {
        let c1 = squash(convolve(&self.c1, images));
        let s2 = squash(self.s2.forward(c1.clone()));
        let c3 = squash(self.c3.forward(s2.clone()));
        let s4 = squash(self.s4.forward(c3.clone()));
        [c1, s2, c3, s4]
    }

    /// Computes the output of C5, `[batch, 120, 1, 1]`.
    fn c5(&self, s4: Tensor<4>) -> Tensor<4> {
        squash(convolve(&self.c5, s4))
    }
}

impl Network for LeNet5Original {
    /// Empty: the output layer has no weights in weight files.
    const HEAD: &'static [&'static str] = &[];

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
        squash(fully_connected(&self.f6, c5.flatten(1, 3)))
    }

    /// Maps the output of F6, `[batch, 84]`, to `[batch, classes]`.
    ///
    /// The paper's outputs are penalties: squared distances from the bitmap of each class
    /// (equation 7). The scores are the negated penalties, so that the best class has the largest
    /// score.
    fn classify(&self, f6: Tensor<2>) -> Tensor<2> {
        self.output.forward(f6).neg()
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
        self.output = output(classes, &self.output.centers.device());
        self
    }
}
