#![doc = include_str!("../README.md")]

mod checkpoints;
mod depthwise_separable;
mod head;
mod inverted_residual;
#[cfg(test)]
mod tests;
mod timm;
mod v1;
mod v2;

pub use depthwise_separable::DepthwiseSeparable;
pub use inverted_residual::InvertedResidual;
pub use receptive_layers::facade::*;
pub use timm::{TimmMobileNetV1, TimmMobileNetV1Config};
pub use v1::{MobileNetV1, MobileNetV1Config};
pub use v2::{MobileNetV2, MobileNetV2Config};
