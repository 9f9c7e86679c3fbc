#![doc = include_str!("../README.md")]

mod bitmaps;
mod lenet5;
mod lenet5_original;
mod paper;
mod partial_conv;
mod subsampling;

pub use bitmaps::{HEIGHT as BITMAP_HEIGHT, WIDTH as BITMAP_WIDTH, code};
pub use lenet5::{LeNet5, LeNet5Config};
pub use lenet5_original::{LeNet5Original, LeNet5OriginalConfig};
pub use partial_conv::{C3_CONNECTIONS, PartialConv2d};
pub use receptive_layers::facade::*;
pub use subsampling::Subsampling;

#[cfg(test)]
mod tests;
