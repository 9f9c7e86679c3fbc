//! The head: the average over each map, then one fully connected layer.

use burn::nn::{Linear, LinearConfig};
use burn::tensor::module::adaptive_avg_pool2d;
use burn::tensor::{Device, Tensor};
use receptive_layers::block::{fully_connected, init};

/// Weights uniform within `1 / sqrt(channels)` (the paper names no other scheme for this layer than
/// for the rest; torchvision's default is kept), biases zero.
pub(crate) fn linear(channels: usize, classes: usize, device: &Device) -> Linear {
    init::linear(&LinearConfig::new(channels, classes), 0.0, device)
}

/// A fresh layer for `classes` classes in the place of `fc`.
pub(crate) fn replaced(fc: &Linear, classes: usize) -> Linear {
    let [channels, _] = fc.weight.lazy_shape().dims();
    linear(channels, classes, &fc.weight.lazy_device())
}

/// `[batch, channels, h, w]` to `[batch, classes]`.
pub(crate) fn forward(fc: &Linear, maps: Tensor<4>) -> Tensor<2> {
    fully_connected(fc, adaptive_avg_pool2d(maps, [1, 1]).flatten(1, 3))
}
