#![doc = include_str!("../README.md")]

mod checkpoints;
mod config;
mod vgg;

pub use config::VggConfig;
pub use receptive_layers::facade::*;
pub use vgg::Vgg;

#[cfg(test)]
mod tests;
