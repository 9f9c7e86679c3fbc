//! Weights: files in three formats under the reference's names, and the published checkpoints.

mod checkpoint;

pub use checkpoint::{Checkpoint, Source};
