#![doc = include_str!("../README.md")]

pub mod arithmetic;
#[cfg(target_arch = "wasm32")]
mod bindings;
pub mod chain;
pub mod classifier;
pub mod error;
pub mod explain;
pub mod explorer;
mod record;
