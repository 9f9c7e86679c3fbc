#![doc = include_str!("../README.md")]

pub mod atomic_file;
pub mod block;
#[cfg(feature = "image")]
pub mod classifier;
pub mod compile;
#[cfg(feature = "draw")]
pub mod drawing;
pub mod facade;
pub mod graph;
#[cfg(feature = "image")]
pub mod image;
mod input;
mod invalid_config;
pub mod labels;
pub mod metadata;
pub mod network;
pub mod preprocessing;
pub mod pretrained;
pub mod scratch;
mod softmax;
pub mod summary;
pub mod weights;

pub use burn;
pub use softmax::softmax;
