//! Errors of a training run.

use std::io;
use std::path::PathBuf;

use receptive_kernels::cpu::UnknownIsa;
use receptive_layers::network::UnknownStage;
use receptive_layers::weights::WeightsError;

use crate::cluster::ClusterError;
use crate::data::DataError;
use crate::recipe::RecipeError;

/// Errors that end a training run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The dataset cannot be read or is invalid.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The recipe cannot be read or is invalid.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The recipe freezes a stage that the network does not have.
    #[error(transparent)]
    Stage(#[from] UnknownStage),
    /// Weights cannot be read, written or loaded.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The environment names an unknown instruction set.
    #[error(transparent)]
    Isa(#[from] UnknownIsa),
    /// The exchange with the other ranks failed.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The compute device failed.
    #[error("the device failed: {0}")]
    Device(String),
    /// The loss is not finite.
    #[error(
        "the loss is {loss} at step {step} with a learning rate of {rate}: lower optimizer.lr, or set clip_norm"
    )]
    Diverged {
        /// The loss.
        loss: f64,
        /// The optimizer step, from 0.
        step: u64,
        /// The learning rate.
        rate: f64,
    },
    /// A checkpoint lacks a tensor.
    #[error("the checkpoint has no tensor {name:?}: it was not written by `receptive train`")]
    MissingTensor {
        /// Name of the tensor.
        name: String,
    },
    /// The checkpoint belongs to a run on other data.
    #[error("the checkpoint belongs to another run: {property} was {found}, now it is {expected}")]
    RunMismatch {
        /// The property that differs.
        property: &'static str,
        /// Value in the checkpoint.
        found: String,
        /// Value in this run.
        expected: String,
    },
    /// The output folder already contains a run.
    #[error(
        "{} already contains a run: continue it with --resume, or choose another --output",
        folder.display()
    )]
    RunExists {
        /// The folder.
        folder: PathBuf,
    },
    /// The output folder contains the weights of another command.
    #[error("{} already contains weights: choose another --output", folder.display())]
    WeightsExist {
        /// The folder.
        folder: PathBuf,
    },
    /// Another process runs in the output folder.
    #[error(
        "{} is in use by another training run: wait until it ends, or choose another --output",
        folder.display()
    )]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// The output folder contains no run to resume.
    #[error("{} contains no run to resume: leave --resume out", folder.display())]
    NoRun {
        /// The folder.
        folder: PathBuf,
    },
    /// An output file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// An output file cannot be read back.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Description of the problem.
        reason: String,
    },
    /// A chart cannot be drawn.
    #[error("cannot draw {}: {reason}", path.display())]
    Drawing {
        /// The file.
        path: PathBuf,
        /// Description of the problem.
        reason: String,
    },
}

impl TrainError {
    pub(crate) fn device(error: impl ToString) -> Self {
        Self::Device(error.to_string())
    }
}
