#![doc = include_str!("../README.md")]

mod checkpoints;
mod cifar;
mod conv;
mod head;
mod imagenet;
mod paper;
mod residual_block;
mod shortcut;
#[cfg(test)]
mod tests;

pub use cifar::{CifarResNet, CifarResNetConfig};
pub use imagenet::{ResNet, ResNetConfig};
pub use receptive_layers::facade::*;
pub use residual_block::{BasicBlock, Block, BlockKind, Bottleneck, StrideOn};
pub use shortcut::{Projection, Shortcut};
