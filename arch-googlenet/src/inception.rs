//! The Inception module with dimension reductions (figure 2 (b)).

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::tensor::{Device, Tensor};
use receptive_layers::block::max_pool;

use crate::conv_unit::ConvUnit;
use crate::edition::Edition;

/// Output channels of an inception module's convolutions: the columns of Table 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Widths {
    /// Column "#1x1".
    conv1x1: usize,
    /// Column "#3x3 reduce".
    reduce3x3: usize,
    /// Column "#3x3".
    conv3x3: usize,
    /// Column "#5x5 reduce".
    reduce5x5: usize,
    /// Column "#5x5".
    conv5x5: usize,
    /// Column "pool proj".
    pool_proj: usize,
}

/// Returns a row of Table 1.
const fn row(columns: [usize; 6]) -> Widths {
    let [conv1x1, reduce3x3, conv3x3, reduce5x5, conv5x5, pool_proj] = columns;
    Widths {
        conv1x1,
        reduce3x3,
        conv3x3,
        reduce5x5,
        conv5x5,
        pool_proj,
    }
}

/// The rows of Table 1: inception (3a), (3b), (4a) to (4e), (5a), (5b).
pub(crate) const TABLE_1: [Widths; 9] = [
    row([64, 96, 128, 16, 32, 32]),
    row([128, 128, 192, 32, 96, 64]),
    row([192, 96, 208, 16, 48, 64]),
    row([160, 112, 224, 24, 64, 64]),
    row([128, 128, 256, 24, 64, 64]),
    row([112, 144, 288, 32, 64, 64]),
    row([256, 160, 320, 32, 128, 128]),
    row([256, 160, 320, 32, 128, 128]),
    row([384, 192, 384, 48, 128, 128]),
];

impl Widths {
    /// Returns the number of output channels of the module.
    pub(crate) const fn output(&self) -> usize {
        self.conv1x1 + self.conv3x3 + self.conv5x5 + self.pool_proj
    }

    /// Builds the module for `input` channels.
    pub(crate) fn init(&self, edition: Edition, input: usize, device: &Device) -> Inception {
        let unit = |channels, kernel| ConvUnit::new(edition, channels, kernel, 1, device);
        let kernel5x5 = match edition {
            Edition::Paper => 5,
            Edition::Torchvision => 3,
        };
        Inception {
            conv1x1: unit([input, self.conv1x1], 1),
            reduce3x3: unit([input, self.reduce3x3], 1),
            conv3x3: unit([self.reduce3x3, self.conv3x3], 3),
            reduce5x5: unit([input, self.reduce5x5], 1),
            conv5x5: unit([self.reduce5x5, self.conv5x5], kernel5x5),
            pool: MaxPool2dConfig::new([3, 3])
                .with_strides([1, 1])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(),
            pool_proj: unit([input, self.pool_proj], 1),
        }
    }
}

/// An inception module: four branches read the same maps, and their outputs are concatenated along
/// the channels (figure 2 (b)).
#[derive(Module, Debug)]
pub struct Inception {
    /// 1x1 convolution of the first branch.
    pub conv1x1: ConvUnit,
    /// 1x1 convolution that reduces the channels before `conv3x3`.
    pub reduce3x3: ConvUnit,
    /// 3x3 convolution of the second branch.
    pub conv3x3: ConvUnit,
    /// 1x1 convolution that reduces the channels before `conv5x5`.
    pub reduce5x5: ConvUnit,
    /// 5x5 convolution of the third branch; 3x3 in torchvision's edition.
    pub conv5x5: ConvUnit,
    /// 3x3 max pool of stride 1 of the fourth branch.
    pub pool: MaxPool2d,
    /// 1x1 convolution after `pool`.
    pub pool_proj: ConvUnit,
}

impl Inception {
    /// Maps `[batch, c_in, h, w]` to `[batch, c_out, h, w]`, where `c_out` is the sum of the
    /// branches' output channels.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let conv1x1 = self.conv1x1.forward(x.clone());
        let conv3x3 = self.conv3x3.forward(self.reduce3x3.forward(x.clone()));
        let conv5x5 = self.conv5x5.forward(self.reduce5x5.forward(x.clone()));
        let pool_proj = self.pool_proj.forward(max_pool(&self.pool, x));
        Tensor::cat(vec![conv1x1, conv3x3, conv5x5, pool_proj], 1)
    }
}
