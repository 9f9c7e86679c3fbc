#![doc = include_str!("../README.md")]

pub mod proto;
mod write;

pub use write::{BatchSize, InputFormat, WriteError, WriteOptions, write};
