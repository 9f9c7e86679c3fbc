//! Layers with a constant initial bias, as most papers specify. Burn draws biases from the
//! distribution of the weights.

use burn::module::Param;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

/// Builds the convolution of `config`; every bias starts at `bias`.
pub fn conv2d(config: &Conv2dConfig, bias: f64, device: &Device) -> Conv2d {
    let mut conv = config.init(device);
    conv.bias = conv
        .bias
        .map(|_| constant(config.channels[1], bias, device));
    conv
}

/// Builds the fully connected layer of `config`; every bias starts at `bias`.
pub fn linear(config: &LinearConfig, bias: f64, device: &Device) -> Linear {
    let mut linear = config.init(device);
    linear.bias = linear.bias.map(|_| constant(config.d_output, bias, device));
    linear
}

fn constant(len: usize, value: f64, device: &Device) -> Param<Tensor<1>> {
    Param::from_tensor(Tensor::full([len], value, device))
}
