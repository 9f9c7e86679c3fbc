#![doc = include_str!("../README.md")]

mod block;
mod checkpoints;
mod cifar;
mod conv;
mod head;
mod imagenet;
mod paper;
mod shortcut;
#[cfg(test)]
mod tests;

pub use block::{BasicBlock, Block, BlockKind, Bottleneck, StrideOn};
pub use cifar::{CifarResNet, CifarResNetConfig};
pub use imagenet::{ResNet, ResNetConfig};
pub use receptive_layers::compile;
pub use receptive_layers::network::{Network, NetworkConfig};
pub use shortcut::{Projection, Shortcut};
