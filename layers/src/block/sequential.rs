//! Layers in a row, for networks whose published weights number their layers.
//!
//! A `Vec` of these has the parameter paths of torchvision's sequential modules
//! (`features.3.weight`): layers without parameters count too.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::pool::MaxPool2d;
use burn::nn::{BatchNorm, Dropout, Linear, Relu};
use burn::tensor::Tensor;

use super::{Activation, conv_norm, convolve, fully_connected, max_pool};

/// A layer from maps to maps.
#[derive(Module, Debug)]
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
    /// `[batch, channels, height, width]`, to the shape that the layer makes of it.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Conv(conv) => convolve(conv, x),
            Self::Norm(norm) => norm.forward(x),
            Self::Relu(relu) => relu.forward(x),
            Self::MaxPool(pool) => max_pool(pool, x),
        }
    }
}

/// `[batch, channels, height, width]` through `layers`, to the shape that the last makes of it. The
/// norm and the ReLU after a convolution run with it.
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
pub enum VectorLayer {
    /// Fully connected.
    Linear(Linear),
    /// `max(x, 0)`.
    Relu(Relu),
    /// Zeroes values at random in training.
    Dropout(Dropout),
}

impl VectorLayer {
    /// `[batch, width]`, to the width that the layer makes of it.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Linear(layer) => fully_connected(layer, x),
            Self::Relu(relu) => relu.forward(x),
            Self::Dropout(dropout) => dropout.forward(x),
        }
    }
}
