#![doc = include_str!("../README.md")]

pub mod block;
pub mod compile;
pub mod graph;
#[cfg(feature = "image")]
pub mod image;
pub mod labels;
pub mod network;
pub mod preprocessing;
pub mod summary;
pub mod weights;
