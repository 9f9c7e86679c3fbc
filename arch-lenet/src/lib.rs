#![doc = include_str!("../README.md")]

mod bitmaps;
mod lenet5;
mod lenet5_original;
mod partial_conv;
mod subsampling;

pub use bitmaps::{HEIGHT as BITMAP_HEIGHT, WIDTH as BITMAP_WIDTH, code};
pub use lenet5::{LeNet5, LeNet5Config};
pub use lenet5_original::{LeNet5Original, LeNet5OriginalConfig};
pub use partial_conv::{C3_CONNECTIONS, PartialConv2d};
pub use receptive_layers::compile;
pub use receptive_layers::network::{Network, NetworkConfig};
pub use subsampling::Subsampling;

use receptive_layers::network::Stage;

/// The layers of the paper's figure 2 up to C5: both networks have them.
const STAGES: [Stage; 5] = [
    Stage::new("c1", &["c1"]),
    Stage::new("s2", &["s2"]),
    Stage::new("c3", &["c3"]),
    Stage::new("s4", &["s4"]),
    Stage::new("c5", &["c5"]),
];

#[cfg(test)]
mod tests;
