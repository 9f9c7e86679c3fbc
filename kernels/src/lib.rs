#![doc = include_str!("../README.md")]
// Code that only training on Burn's CPU backends calls is compiled and tested without these features.
#![cfg_attr(
    not(all(feature = "autodiff", any(feature = "ndarray", feature = "flex"))),
    allow(dead_code, unused_imports)
)]

pub mod allocator;
pub mod cost;
pub mod cpu;
pub mod geometry;
#[cfg(feature = "ops")]
pub mod ops;
pub mod plan;
mod threads;
