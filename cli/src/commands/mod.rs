//! One module for each command.

pub mod bench;
pub mod classify;
pub mod compile;
pub mod completions;
pub mod convert;
pub mod draw;
pub mod duplicates;
pub mod embed;
#[cfg(feature = "train")]
pub mod eval;
pub mod explain;
pub mod export;
pub mod inspect;
pub mod models;
pub mod probe;
pub mod run;
pub mod similar;
pub mod summary;
#[cfg(feature = "train")]
pub mod train;
#[cfg(feature = "train")]
pub mod train_head;
