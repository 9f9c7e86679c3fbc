//! What can go wrong in a run.

use std::io;
use std::path::PathBuf;

use receptive_layers::network::UnknownStage;
use receptive_layers::weights::WeightsError;

use crate::data::DataError;
use crate::recipe::RecipeError;

/// Why a run ended before its time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The data is wrong.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The recipe is wrong.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The recipe freezes a stage that the network has not.
    #[error(transparent)]
    Stage(#[from] UnknownStage),
    /// Weights cannot be read, written or loaded.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The device failed.
    #[error("the device failed: {0}")]
    Device(String),
    /// The loss left the range of numbers.
    #[error(
        "the loss is {loss} at step {step} with a learning rate of {rate}: lower optimizer.lr, or set clip_norm"
    )]
    Diverged {
        /// The loss.
        loss: f64,
        /// Steps before this one.
        step: u64,
        /// The learning rate.
        rate: f64,
    },
    /// A checkpoint lacks a part.
    #[error("the checkpoint has no {lacking:?}; it is not one of `receptive train`")]
    Incomplete {
        /// The part.
        lacking: String,
    },
    /// A checkpoint is of another run.
    #[error("the checkpoint is of another run: {what} was {found}, now it is {expected}")]
    OtherRun {
        /// What differs.
        what: &'static str,
        /// In the checkpoint.
        found: String,
        /// In this run.
        expected: String,
    },
    /// The output folder has a run already.
    #[error(
        "{} holds a run already: go on with it with --resume, or choose another --output",
        folder.display()
    )]
    Occupied {
        /// The folder.
        folder: PathBuf,
    },
    /// The output folder has no run.
    #[error("{} holds no run to go on with: leave --resume out", folder.display())]
    NoRun {
        /// The folder.
        folder: PathBuf,
    },
    /// A file of the output cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file of the output cannot be read again.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A picture cannot be drawn.
    #[error("cannot draw {}: {reason}", path.display())]
    Drawing {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl TrainError {
    pub(crate) fn device(error: impl ToString) -> Self {
        Self::Device(error.to_string())
    }
}
