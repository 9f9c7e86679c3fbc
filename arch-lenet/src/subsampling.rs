//! The trainable subsampling of LeNet-5.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig};
use burn::tensor::{Device, Tensor};

/// The mean of 2x2 values, times a trainable coefficient, plus a trainable bias, one of each per
/// map (Gradient-Based Learning Applied to Document Recognition, section II.B, layer S2).
///
/// The paper adds the four values where this takes their mean, so `coefficient` is four times the
/// paper's; the function and its two parameters per map are the same. It starts uniform in
/// `±2.4`, the bias in `±2.4 / 4`: the paper's range for a fan in of 4, carried over.
#[derive(Module, Debug)]
pub struct Subsampling {
    /// The mean of 2x2 values, stride 2.
    pub pool: AvgPool2d,
    /// Multiplies the mean, `[channels]`.
    pub coefficient: Param<Tensor<1>>,
    /// Added after that, `[channels]`.
    pub bias: Param<Tensor<1>>,
}

impl Subsampling {
    /// For maps of `channels` channels, on `device`.
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

    /// `[batch, channels, height, width]` to `[batch, channels, height / 2, width / 2]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let per_map = |values: &Param<Tensor<1>>| values.val().reshape([1, -1, 1, 1]);
        self.pool.forward(x) * per_map(&self.coefficient) + per_map(&self.bias)
    }
}
