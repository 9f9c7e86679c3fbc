//! Networks with pretrained weights.
//!
//! [`NetworkConfig::pretrained`](crate::network::NetworkConfig::pretrained) builds a network with
//! published weights or the weights of a file, as a [`Pretrained`]: the network with its
//! preprocessing and the names of its classes.

use std::path::{Path, PathBuf};

use crate::invalid_config::InvalidConfig;
use crate::preprocessing::Preprocessing;
use crate::weights::{self, Checkpoint, FindError, FindOptions, StateDict, WeightsError};

/// The weights of a pretrained network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Weights<'a> {
    /// The first published checkpoint of the network. The file comes from the cache folder, or is
    /// downloaded into it by the feature `download`.
    #[default]
    Default,
    /// The published checkpoint with this tag, such as `IMAGENET1K_V1`.
    Tag(&'a str),
    /// A weight file: a PyTorch checkpoint, SafeTensors or Burnpack.
    File(&'a Path),
}

impl<'a> Weights<'a> {
    /// The weight file at `path`.
    pub fn from_file(path: &'a (impl AsRef<Path> + ?Sized)) -> Self {
        Self::File(path.as_ref())
    }
}

/// A network with pretrained weights, and with everything that depends on the weights.
#[derive(Debug, Clone)]
pub struct Pretrained<N> {
    /// The network.
    pub network: N,
    /// Shape of one input image, `[channels, height, width]`.
    pub input: [usize; 3],
    /// Preprocessing of images for these weights.
    pub preprocessing: Preprocessing,
    /// Name of each class, in class order. Empty if the names are unknown or the head is new.
    pub labels: Vec<String>,
    /// The published checkpoint; `None` for a file that is not a published one.
    pub checkpoint: Option<Checkpoint>,
}

/// Why a pretrained network cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PretrainedError {
    /// A field of the configuration is out of its range.
    #[error(transparent)]
    Config(#[from] InvalidConfig),
    /// No weights are published for the configuration.
    #[error("no weights are published for this configuration; expected the path of a weight file")]
    Unpublished,
    /// No published checkpoint has the requested tag.
    #[error("no checkpoint has the tag {requested:?}; the tags are {}", known.join(", "))]
    UnknownTag {
        /// The requested tag.
        requested: String,
        /// The tags of all published checkpoints.
        known: Vec<&'static str>,
    },
    /// The published file is neither in the cache nor downloadable.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The file is not a weight file.
    #[error(transparent)]
    Read(WeightsError),
    /// The weights do not fit the network.
    #[error("{} does not fit the network: {source}", path.display())]
    Unfit {
        /// The weight file.
        path: PathBuf,
        /// The differences.
        source: WeightsError,
    },
}

/// An opened weight file.
pub(crate) struct WeightFile {
    pub path: PathBuf,
    pub tensors: StateDict,
    /// The published checkpoint that the file is, by its name.
    pub checkpoint: Option<Checkpoint>,
}

impl WeightFile {
    /// Opens `weights` of a network with the published `checkpoints`.
    pub fn open(weights: Weights<'_>, checkpoints: &[Checkpoint]) -> Result<Self, PretrainedError> {
        let published = match weights {
            Weights::File(path) => {
                return Ok(Self {
                    path: path.to_owned(),
                    tensors: StateDict::open(path).map_err(PretrainedError::Read)?,
                    checkpoint: Checkpoint::of_file(checkpoints, path).copied(),
                });
            }
            Weights::Default => checkpoints.first(),
            Weights::Tag(tag) => checkpoints.iter().find(|checkpoint| checkpoint.tag == tag),
        };
        let checkpoint = match (published, weights) {
            (Some(checkpoint), _) => checkpoint,
            (None, Weights::Tag(tag)) if !checkpoints.is_empty() => {
                return Err(PretrainedError::UnknownTag {
                    requested: tag.to_owned(),
                    known: checkpoints
                        .iter()
                        .map(|checkpoint| checkpoint.tag)
                        .collect(),
                });
            }
            _ => return Err(PretrainedError::Unpublished),
        };
        let path = weights::find(checkpoint, FindOptions::default())?;
        Ok(Self {
            tensors: StateDict::open(&path).map_err(PretrainedError::Read)?,
            path,
            checkpoint: Some(*checkpoint),
        })
    }
}
