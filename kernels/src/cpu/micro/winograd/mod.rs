//! Transforms of Winograd's algorithm.

mod input;
mod output;
mod tile;
mod tile_offsets;
mod weights;

pub(crate) use input::{InputArgs, InputTransforms};
pub(crate) use output::{OutputArgs, OutputTransforms};
pub use tile::WinogradTile;
pub(crate) use tile_offsets::TileOffsets;
pub(crate) use weights::{WeightArgs, WeightTransforms};
