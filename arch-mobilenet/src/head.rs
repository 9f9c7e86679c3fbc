//! The head: the average over each map, dropout, one fully connected layer.

use burn::nn::{Dropout, Initializer, Linear, LinearConfig};
use burn::tensor::module::adaptive_avg_pool2d;
use burn::tensor::{Device, Tensor};
use receptive_layers::block::{fully_connected, init};
use receptive_layers::network::InvalidConfig;

/// Weights normal of deviation 0.01, biases zero: torchvision's choice, the papers name none.
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

/// A fresh layer for `classes` classes in the place of `fc`.
pub(crate) fn replaced(fc: &Linear, classes: usize) -> Linear {
    let [channels, _] = fc.weight.lazy_shape().dims();
    linear(channels, classes, &fc.weight.lazy_device())
}

/// `[batch, channels, h, w]` to `[batch, classes]`.
pub(crate) fn forward(dropout: &Dropout, fc: &Linear, maps: Tensor<4>) -> Tensor<2> {
    let means = adaptive_avg_pool2d(maps, [1, 1]).flatten(1, 3);
    fully_connected(fc, dropout.forward(means))
}

/// Refuses resolutions, class counts and dropout probabilities out of range.
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
