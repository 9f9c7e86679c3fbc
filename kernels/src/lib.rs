#![doc = include_str!("../README.md")]

pub mod cost;
pub mod cpu;
pub mod geometry;
#[cfg(feature = "ops")]
pub mod ops;
pub mod plan;
