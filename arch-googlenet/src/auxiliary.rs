//! The auxiliary heads after inception (4a) and (4d), used only in training (section 5).

use burn::module::Module;
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig, AvgPool2d, AvgPool2dConfig};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation::relu};
use receptive_layers::block::{fully_connected, init, mean_pool};

use crate::conv_unit::ConvUnit;
use crate::edition::Edition;

/// The pool that reduces the maps to 4x4.
#[derive(Module, Debug)]
pub enum AuxiliaryPool {
    /// The paper's pool: 5x5, stride 3, for maps of 14x14 (images of 224x224).
    Average(AvgPool2d),
    /// torchvision's pool, for maps of any size.
    Adaptive(AdaptiveAvgPool2d),
}

/// An auxiliary head: mean pool, 1x1 convolution to 128 channels, fully connected layer of 1024
/// units, dropout, classifier (section 5).
#[derive(Module, Debug)]
pub struct AuxiliaryHead {
    /// The mean pool to 4x4.
    pub pool: AuxiliaryPool,
    /// 1x1 convolution to 128 channels.
    pub conv: ConvUnit,
    /// Fully connected layer from 128 maps of 4x4 to 1024 units; a ReLU follows.
    pub fc1: Linear,
    /// The dropout before the classifier.
    pub dropout: Dropout,
    /// The classifier.
    pub fc2: Linear,
}

impl AuxiliaryHead {
    /// Output channels of the 1x1 convolution.
    const CHANNELS: usize = 128;
    /// Outputs of the first fully connected layer.
    const UNITS: usize = 1024;

    pub(crate) fn new(
        edition: Edition,
        channels: usize,
        dropout: f64,
        classes: usize,
        device: &Device,
    ) -> Self {
        let fc1 = LinearConfig::new(Self::CHANNELS * 4 * 4, Self::UNITS)
            .with_initializer(edition.initializer());
        Self {
            pool: match edition {
                Edition::Paper => {
                    AuxiliaryPool::Average(AvgPool2dConfig::new([5, 5]).with_strides([3, 3]).init())
                }
                Edition::Torchvision => {
                    AuxiliaryPool::Adaptive(AdaptiveAvgPool2dConfig::new([4, 4]).init())
                }
            },
            conv: ConvUnit::new(edition, [channels, Self::CHANNELS], 1, 1, device),
            fc1: init::linear(&fc1, edition.bias(), device),
            dropout: DropoutConfig::new(dropout).init(),
            fc2: classifier(edition, Self::UNITS, classes, device),
        }
    }

    /// Maps `[batch, channels, h, w]` to `[batch, classes]`.
    pub fn forward(&self, maps: Tensor<4>) -> Tensor<2> {
        let maps = match &self.pool {
            AuxiliaryPool::Average(pool) => mean_pool(pool, maps),
            AuxiliaryPool::Adaptive(pool) => pool.forward(maps),
        };
        let x = self.conv.forward(maps).flatten(1, 3);
        let x = relu(fully_connected(&self.fc1, x));
        fully_connected(&self.fc2, self.dropout.forward(x))
    }
}

/// Builds the last layer of a head.
pub(crate) fn classifier(
    edition: Edition,
    inputs: usize,
    classes: usize,
    device: &Device,
) -> Linear {
    init::linear(
        &LinearConfig::new(inputs, classes).with_initializer(edition.initializer()),
        0.0,
        device,
    )
}
