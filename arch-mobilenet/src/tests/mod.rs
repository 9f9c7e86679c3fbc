mod config;
mod network;
mod tensors;

use burn::tensor::{Device, Distribution, Tensor};

/// An image of noise on a CPU.
fn noise(shape: [usize; 4], device: &Device) -> Tensor<4> {
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), device)
}
