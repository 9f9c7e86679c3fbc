//! The head: the mean of each map, dropout and a fully connected layer.

use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::module::adaptive_avg_pool2d;
use burn::tensor::{Device, Tensor};
use receptive_layers::block::init;
use receptive_layers::network::InvalidConfig;

/// Builds the fully connected layer: weights normal with standard deviation 0.01 and zero biases,
/// as in torchvision. The papers specify no initialisation.
pub(crate) fn linear(channels: usize, classes: usize, device: &Device) -> Linear {
    let initializer = Initializer::Normal {
        mean: 0.0,
        std: 0.01,
    };
    init::linear(
        &LinearConfig::new(channels, classes).with_initializer(initializer),
        0.0,
        device,
    )
}

/// Builds a new layer for `classes` classes with the inputs and the device of `fc`.
pub(crate) fn with_classes(fc: &Linear, classes: usize) -> Linear {
    let [channels, _] = fc.weight.lazy_shape().dims();
    linear(channels, classes, &fc.weight.lazy_device())
}

/// Maps `[batch, channels, h, w]` to the mean of each map, `[batch, channels]`.
pub(crate) fn means(maps: Tensor<4>) -> Tensor<2> {
    adaptive_avg_pool2d(maps, [1, 1]).flatten(1, 3)
}

/// Checks the ranges of the resolution, the number of classes and the dropout probability.
pub(crate) fn check(resolution: usize, classes: usize, dropout: f64) -> Result<(), InvalidConfig> {
    InvalidConfig::unless(
        (1..=65_536).contains(&resolution),
        "resolution",
        resolution,
        "from 1 to 65,536 pixels",
    )?;
    InvalidConfig::unless_classes(classes)?;
    InvalidConfig::unless_probability("dropout", dropout)
}
