//! LeNet-5's trainable subsampling.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig};
use burn::tensor::{Device, Tensor};
use receptive_layers::block::mean_pool;

/// The mean of each 2x2 window, multiplied by a coefficient and shifted by a bias. Each map has one
/// trainable coefficient and one trainable bias (Gradient-Based Learning Applied to Document
/// Recognition, section II.B, layer S2).
///
/// The paper multiplies the sum of the four values, so `coefficient` is four times the paper's. The
/// paper's initial range for a fan in of 4, `±2.4 / 4`, becomes `±2.4` for the coefficient and
/// stays `±2.4 / 4` for the bias.
#[derive(Module, Debug)]
pub struct Subsampling {
    /// The mean of 2x2 windows with stride 2.
    pub pool: AvgPool2d,
    /// Factor of the mean, `[channels]`.
    pub coefficient: Param<Tensor<1>>,
    /// Added to the scaled mean, `[channels]`.
    pub bias: Param<Tensor<1>>,
}

impl Subsampling {
    /// Builds the layer for `channels` channels on `device`.
    pub fn init(channels: usize, device: &Device) -> Self {
        let within = |bound: f64| Initializer::Uniform {
            min: -bound,
            max: bound,
        };
        Self {
            pool: AvgPool2dConfig::new([2, 2]).init(),
            coefficient: within(2.4).init([channels], device),
            bias: within(2.4 / 4.0).init([channels], device),
        }
    }

    /// Maps `[batch, channels, height, width]` to `[batch, channels, height / 2, width / 2]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let per_map = |values: &Param<Tensor<1>>| values.val().reshape([1, -1, 1, 1]);
        mean_pool(&self.pool, x) * per_map(&self.coefficient) + per_map(&self.bias)
    }
}
