#![doc = include_str!("../README.md")]

pub mod atomic_file;
pub mod block;
pub mod compile;
#[cfg(feature = "draw")]
pub mod drawing;
pub mod graph;
#[cfg(feature = "image")]
pub mod image;
pub mod labels;
pub mod network;
pub mod preprocessing;
mod softmax;
pub mod summary;
pub mod weights;

pub use softmax::softmax;
