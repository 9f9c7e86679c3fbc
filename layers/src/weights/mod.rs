//! Pretrained weights: files in three formats, and published checkpoints.
//!
//! A [`StateDict`] contains tensors under PyTorch's names and in PyTorch's layouts: a fully
//! connected weight is `[out, in]`, and a norm has `weight`, `bias`, `running_mean` and
//! `running_var`. [`load`] copies a `StateDict` into a network, and [`state_dict`] extracts one
//! from a network; [`load_module`] and [`module_state_dict`] do the same for any Burn module.
//! [`find`] returns the path of a published [`Checkpoint`]'s file and downloads the file if it is
//! not in the cache.

mod checkpoint;
#[cfg(feature = "download")]
mod download;
mod error;
mod file;
mod find;
mod find_error;
mod format;
mod load;
mod naming;
pub(crate) mod slots;
mod state_dict;
mod tensor;
mod verified;

pub use checkpoint::{Checkpoint, Source};
#[cfg(feature = "download")]
pub use download::download;
pub use error::{ShapeMismatch, WeightsError};
pub use find::{FindOptions, cache_folder, find};
pub use find_error::FindError;
pub use format::{FloatType, Format};
pub use load::{
    Heads, classes, load, load_module, module_state_dict, shapes, state_dict, without_prefix,
};
pub use naming::PublishedNames;
pub use state_dict::StateDict;
pub use tensor::WeightTensor;
pub use verified::{verify, verify_folder};

#[cfg(test)]
mod tests;
