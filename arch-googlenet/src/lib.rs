#![doc = include_str!("../README.md")]

mod auxiliary;
mod checkpoints;
mod config;
mod conv_unit;
mod edition;
mod googlenet;
mod inception;
mod names;
#[cfg(test)]
mod tests;

pub use auxiliary::{AuxiliaryHead, AuxiliaryPool};
pub use config::GoogLeNetConfig;
pub use conv_unit::ConvUnit;
pub use edition::Edition;
pub use googlenet::GoogLeNet;
pub use inception::Inception;
pub use receptive_layers::facade::*;
