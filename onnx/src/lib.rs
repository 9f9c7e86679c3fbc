#![doc = include_str!("../README.md")]

mod cells;
mod names;
pub mod proto;
mod read;
mod write;

pub use read::{
    MissingOperator, Model, NEWEST_OPSET, OLDEST_OPSET, ReadError, ReadOptions, read, read_bytes,
};
pub use write::{BatchSize, InputFormat, WriteError, WriteOptions, write};
