//! The head: the mean of each map and a fully connected layer.

use burn::nn::{Linear, LinearConfig};
use burn::tensor::module::adaptive_avg_pool2d;
use burn::tensor::{Device, Tensor};
use receptive_layers::block::init;

/// Builds the fully connected layer: weights uniform in `±1 / sqrt(channels)`, torchvision's
/// default, and zero biases.
pub(crate) fn linear(channels: usize, classes: usize, device: &Device) -> Linear {
    init::linear(&LinearConfig::new(channels, classes), 0.0, device)
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
