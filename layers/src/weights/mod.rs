//! Weights: files in three formats under the reference's names, and the published checkpoints.
//!
//! A [`StateDict`] is what a file holds: tensors under the names, and in the layouts, of PyTorch
//! (a fully connected weight is `[out, in]`; a norm has `weight`, `bias`, `running_mean` and
//! `running_var`). [`load`] puts it into a network and [`state_dict`] takes it out again;
//! [`load_module`] and [`module_state_dict`] do the same for any Burn module. [`find`] answers
//! where the file of a published [`Checkpoint`] is, and downloads it when it is nowhere.

pub mod atomic;
mod checkpoint;
#[cfg(feature = "download")]
mod download;
mod error;
mod find;
mod format;
mod load;
pub(crate) mod slots;
mod state_dict;
mod tensor;

pub use checkpoint::{Checkpoint, Source};
#[cfg(feature = "download")]
pub use download::download;
pub use error::{ShapeMismatch, WeightsError};
pub use find::{FindError, FindOptions, cache_folder, find};
pub use format::{Format, Precision};
pub use load::{Heads, load, load_module, module_state_dict, shapes, state_dict};
pub use state_dict::StateDict;
pub use tensor::WeightTensor;

#[cfg(test)]
mod tests;
