//! Layers whose bias starts at a constant, as the papers have it; Burn draws biases from the
//! weight's distribution.

use burn::module::Param;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

/// The convolution of `config`, every bias `bias`.
pub fn conv2d(config: &Conv2dConfig, bias: f64, device: &Device) -> Conv2d {
    let mut conv = config.init(device);
    conv.bias = conv
        .bias
        .map(|_| constant(config.channels[1], bias, device));
    conv
}

/// The fully connected layer of `config`, every bias `bias`.
pub fn linear(config: &LinearConfig, bias: f64, device: &Device) -> Linear {
    let mut linear = config.init(device);
    linear.bias = linear.bias.map(|_| constant(config.d_output, bias, device));
    linear
}

fn constant(len: usize, value: f64, device: &Device) -> Param<Tensor<1>> {
    Param::from_tensor(Tensor::full([len], value, device))
}
