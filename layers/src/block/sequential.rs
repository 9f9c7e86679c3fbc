//! Sequences of layers, for networks whose published weights number their layers.
//!
//! A `Vec` of these layers has the parameter paths of torchvision's sequential modules, such as
//! `features.3.weight`. The numbers also count layers without parameters.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::pool::MaxPool2d;
use burn::nn::{BatchNorm, Dropout, Linear, Relu};
use burn::tensor::Tensor;

use super::activation::Activation;
use super::conv_norm::{conv_norm, convolve};
use super::fully_connected::fully_connected;
use super::max_pool::max_pool;

/// A layer from feature maps to feature maps.
#[derive(Module, Debug)]
#[non_exhaustive]
pub enum MapLayer {
    /// Convolution.
    Conv(Conv2d),
    /// Batch norm.
    Norm(BatchNorm),
    /// `max(x, 0)`.
    Relu(Relu),
    /// Max pooling.
    MaxPool(MaxPool2d),
}

impl MapLayer {
    /// Runs the layer on maps `[batch, channels, height, width]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Conv(conv) => convolve(conv, x),
            Self::Norm(norm) => norm.forward(x),
            Self::Relu(relu) => relu.forward(x),
            Self::MaxPool(pool) => max_pool(pool, x),
        }
    }
}

/// Runs `layers` in order on maps `[batch, channels, height, width]`. A convolution and the norm
/// and the ReLU that follow it run as one operation.
pub fn map_layers(layers: &[MapLayer], mut x: Tensor<4>) -> Tensor<4> {
    let mut rest = layers;
    while let [layer, after @ ..] = rest {
        let MapLayer::Conv(conv) = layer else {
            x = layer.forward(x);
            rest = after;
            continue;
        };
        rest = after;
        let norm = match rest {
            [MapLayer::Norm(norm), after @ ..] => {
                rest = after;
                Some(norm)
            }
            _ => None,
        };
        let activation = match rest {
            [MapLayer::Relu(_), after @ ..] => {
                rest = after;
                Activation::Relu
            }
            _ => Activation::Identity,
        };
        x = conv_norm(conv, norm, activation, x);
    }
    x
}

/// A layer from vectors to vectors.
#[derive(Module, Debug)]
#[non_exhaustive]
pub enum VectorLayer {
    /// Fully connected.
    Linear(Linear),
    /// `max(x, 0)`.
    Relu(Relu),
    /// Sets random values to zero in training.
    Dropout(Dropout),
}

impl VectorLayer {
    /// Runs the layer on vectors `[batch, width]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Linear(layer) => fully_connected(layer, x),
            Self::Relu(relu) => relu.forward(x),
            Self::Dropout(dropout) => dropout.forward(x),
        }
    }
}

/// Runs `layers` in order on vectors `[batch, width]`.
pub fn vector_layers(layers: &[VectorLayer], x: Tensor<2>) -> Tensor<2> {
    layers.iter().fold(x, |x, layer| layer.forward(x))
}
