//! LeNet-5 as printed in 1998.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use receptive_layers::block::{RadialBasis, convolve};
use receptive_layers::network::{
    InputSpec, InvalidConfig, Network, NetworkConfig, Sizes, Stage, Variant,
};
use serde::{Deserialize, Serialize};

use crate::bitmaps;
use crate::partial_conv::{C3_CONNECTIONS, PartialConv2d};
use crate::subsampling::Subsampling;

/// Hyperparameters of a [`LeNet5Original`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeNet5OriginalConfig {
    /// Classes that the output tells apart, from 1 to 1,000,000: the digits first, then
    /// [random codes](crate::code).
    pub classes: usize,
}

impl LeNet5OriginalConfig {
    /// Ten digits, 60,000 trainable parameters.
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

    fn init(&self, device: &Device) -> LeNet5Original {
        self.validate().expect("a valid configuration");
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

/// Uniform in `±2.4 / fan in` (appendix A), weights and biases alike.
fn uniform(fan_in: usize) -> Initializer {
    let bound = 2.4 / fan_in as f64;
    Initializer::Uniform {
        min: -bound,
        max: bound,
    }
}

fn output(classes: usize, device: &Device) -> RadialBasis {
    let codes: Vec<f32> = (0..classes).flat_map(bitmaps::code).collect();
    let width = bitmaps::WIDTH * bitmaps::HEIGHT;
    RadialBasis {
        centers: Tensor::from_data(TensorData::new(codes, [classes, width]), device),
    }
}

/// `1.7159 tanh(2/3 x)`: from -1 to 1 between inputs of -1 and 1, where it bends the most
/// (section II.B, eq. 6, and appendix A).
fn squash<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    (x * (2.0 / 3.0)).tanh() * 1.7159
}

/// LeNet-5 (LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document
/// Recognition, 1998, section II.B and figure 2): 60,000 trainable parameters, 340,908 connections.
///
/// The paper's images are 32x32, the background -0.1 and the ink 1.175.
#[derive(Module, Debug)]
pub struct LeNet5Original {
    /// 5x5 to 6 maps of 28x28: 156 parameters.
    pub c1: Conv2d,
    /// To 14x14: 12 parameters.
    pub s2: Subsampling,
    /// 5x5 to 16 maps of 10x10, connected by Table I: 1,516 parameters.
    pub c3: PartialConv2d,
    /// To 5x5: 32 parameters.
    pub s4: Subsampling,
    /// 5x5 to 120 maps of 1x1: 48,120 parameters.
    pub c5: Conv2d,
    /// To 84 values, the pixels of a 7x12 bitmap: 10,164 parameters.
    pub f6: Linear,
    /// Distance to each class's bitmap: nothing to train.
    pub output: RadialBasis,
}

impl LeNet5Original {
    fn stages(&self, images: Tensor<4>) -> [Tensor<4>; 5] {
        let c1 = squash(convolve(&self.c1, images));
        let s2 = squash(self.s2.forward(c1.clone()));
        let c3 = squash(self.c3.forward(s2.clone()));
        let s4 = squash(self.s4.forward(c3.clone()));
        let c5 = squash(convolve(&self.c5, s4.clone()));
        [c1, s2, c3, s4, c5]
    }
}

impl Network for LeNet5Original {
    /// Nothing: the output layer has no weights to load or to leave out.
    const HEAD: &'static [&'static str] = &[];

    const STAGES: &'static [Stage] = &crate::STAGES;

    /// `[batch, 1, 32, 32]` to `[batch, classes]`.
    ///
    /// The paper's outputs are penalties, squared distances from the class's bitmap (eq. 7); the
    /// scores are their negatives, so that here too the largest wins.
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let [.., c5] = self.stages(images);
        let f6 = squash(self.f6.forward(c5.flatten(1, 3)));
        self.output.forward(f6).neg()
    }

    /// `[batch, 1, 32, 32]` to C1 `[6, 28, 28]`, S2 `[6, 14, 14]`, C3 `[16, 10, 10]`,
    /// S4 `[16, 5, 5]`, C5 `[120, 1, 1]`, each after its activation.
    fn features(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        self.stages(images).to_vec()
    }

    fn with_classes(mut self, classes: usize) -> Self {
        self.output = output(classes, &self.output.centers.device());
        self
    }
}
