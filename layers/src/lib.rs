#![doc = include_str!("../README.md")]

pub mod atomic_file;
pub mod block;
pub mod bounded_file;
#[cfg(feature = "image")]
pub mod classifier;
pub mod compile;
#[cfg(feature = "draw")]
pub mod drawing;
#[cfg(feature = "image")]
pub mod embedder;
#[cfg(feature = "image")]
mod engine;
#[cfg(feature = "image")]
pub mod explain;
pub mod facade;
pub mod graph;
#[cfg(feature = "image")]
pub mod image;
mod input;
mod invalid_config;
pub mod labels;
pub mod logistic;
pub mod metadata;
pub mod network;
#[cfg(feature = "image")]
pub mod pipeline;
pub mod preprocessing;
pub mod pretrained;
mod printable;
pub mod scratch;
pub mod sha256;
mod softmax;
pub mod summary;
pub mod vectors;
pub mod weights;

pub use burn;
pub use printable::printable;
pub use softmax::softmax;
