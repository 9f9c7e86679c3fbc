#![doc = include_str!("../README.md")]

mod alexnet;
mod alexnet_torchvision;

pub use alexnet::{AlexNet, AlexNetConfig};
pub use alexnet_torchvision::{AlexNetTorchvision, AlexNetTorchvisionConfig};
pub use receptive_layers::facade::*;

#[cfg(test)]
mod tests;
