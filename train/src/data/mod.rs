//! Labelled image datasets: file formats, downloads, and the split into training and validation
//! images.

mod cifar;
mod dataset;
mod error;
mod file;
mod folders;
mod idx;
mod memory;
mod open;
mod public;
mod relabelled;
mod splits;
mod subset;
#[cfg(test)]
mod tests;

pub use dataset::Dataset;
pub use error::DataError;
pub use memory::InMemoryDataset;
pub use public::{DownloadProgress, PublicDataset};
pub use relabelled::Relabelled;
pub use splits::{DataSplits, EvaluationData, Holdout, IdxFiles};
