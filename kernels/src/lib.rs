//! What a convolution is, what it costs, and how to run one.

pub mod cost;
pub mod geometry;
pub mod ops;
