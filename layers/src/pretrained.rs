//! Networks with pretrained weights.
//!
//! [`NetworkConfig::pretrained`](crate::network::NetworkConfig::pretrained) builds a network with
//! published weights or the weights of a file, as a [`Pretrained`]: the network with its
//! preprocessing and the names of its classes.

use std::path::{Path, PathBuf};

use crate::input::{InputError, InputSpec};
use crate::invalid_config::InvalidConfig;
use crate::labels::LabelSet;
use crate::metadata::{self, Metadata};
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
    /// Name of the published variant, such as `resnet50`; `None` for another configuration.
    pub name: Option<&'static str>,
    /// Shape of one input image, `[channels, height, width]`.
    pub input: [usize; 3],
    /// Preprocessing of images for these weights.
    pub preprocessing: Preprocessing,
    /// Name of each class, in class order. Empty if the names are unknown or the head is new.
    pub labels: Vec<String>,
    /// The published checkpoint; `None` for a file that is not a published one.
    pub checkpoint: Option<Checkpoint>,
}

impl<N> Pretrained<N> {
    /// Returns the metadata of the network and its weights, to be stored with the weights or with a plan.
    pub fn metadata(&self) -> Metadata {
        Metadata {
            network: self.name.map(str::to_owned),
            labels: Some(self.labels.clone()).filter(|labels| !labels.is_empty()),
            preprocessing: Some(self.preprocessing),
            input: Some(self.input),
            recipe_sha256: None,
            version: Some(metadata::VERSION.to_owned()),
        }
    }
}

/// Published classes and preprocessing of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Published {
    /// Number of classes.
    pub classes: usize,
    /// Names of the classes.
    pub labels: LabelSet,
    /// The paper's preprocessing.
    pub preprocessing: Preprocessing,
}

impl Published {
    /// Returns the values of a network that is not published, with `classes` classes: no class names, and
    /// the preprocessing for ImageNet at the size of `input`.
    pub fn unnamed(classes: usize, input: InputSpec) -> Self {
        Self {
            classes,
            labels: LabelSet::None,
            preprocessing: Preprocessing::IMAGENET.with_crop(input.size),
        }
    }

    /// Returns the preprocessing of images for weights of the network: the one stored with the
    /// weights, else that of `checkpoint`, the published checkpoint that the weights are, else the
    /// paper's.
    ///
    /// Every command, and [`NetworkConfig::pretrained`](crate::network::NetworkConfig::pretrained),
    /// follow this rule.
    pub fn preprocessing_of(
        &self,
        stored: &Metadata,
        checkpoint: Option<&Checkpoint>,
    ) -> Preprocessing {
        stored
            .preprocessing
            .or(checkpoint.map(|checkpoint| checkpoint.preprocessing))
            .unwrap_or(self.preprocessing)
    }

    /// Returns the names of the `classes` classes of weights of the network: those stored with the
    /// weights, or the published ones if the weights are the published `checkpoint`. Empty if the
    /// names are unknown.
    pub fn labels_of(
        &self,
        stored: &Metadata,
        checkpoint: Option<&Checkpoint>,
        classes: usize,
    ) -> Vec<String> {
        let labels = match (&stored.labels, checkpoint) {
            (Some(labels), _) => labels.clone(),
            (None, Some(_)) => self.labels.names().into_iter().map(str::to_owned).collect(),
            (None, None) => Vec::new(),
        };
        if labels.len() == classes {
            labels
        } else {
            Vec::new()
        }
    }
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
    /// The preprocessing of the weights has a crop that the network does not accept.
    #[error("the preprocessing of the weights in {} does not fit the network: {source}", path.display())]
    Input {
        /// The weight file.
        path: PathBuf,
        /// The shape of an image, and the shapes that the network accepts.
        source: InputError,
    },
    /// The metadata of the file have another number of class names than its head has classes.
    #[error("class names in the metadata of {}: {found}, expected {classes}, one for each class of its head", path.display())]
    Labels {
        /// The weight file.
        path: PathBuf,
        /// Number of names.
        found: usize,
        /// Number of classes of the head.
        classes: usize,
    },
    /// The file says that its weights are another network's.
    #[error("{} contains weights of {found}, expected {expected}", path.display())]
    OtherNetwork {
        /// The weight file.
        path: PathBuf,
        /// Name of the file's network.
        found: String,
        /// Name of the network to build.
        expected: &'static str,
    },
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
                let tensors = StateDict::open(path).map_err(PretrainedError::Read)?;
                return Ok(Self {
                    path: path.to_owned(),
                    checkpoint: Checkpoint::identify(checkpoints, path).copied(),
                    tensors,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    const CHECKPOINT: Checkpoint = Checkpoint {
        tag: "V1",
        source: crate::weights::Source::Torchvision,
        url: "",
        sha256: "",
        parameters: 0,
        top1: 0.0,
        top5: 0.0,
        preprocessing: Preprocessing {
            resize: 232,
            ..Preprocessing::IMAGENET
        },
    };

    const PUBLISHED: Published = Published {
        classes: 2,
        labels: LabelSet::Listed(&["cat", "dog"]),
        preprocessing: Preprocessing::CIFAR_10,
    };

    #[test]
    fn stored_values_come_before_the_checkpoints_and_the_papers() {
        let stored = Metadata {
            labels: Some(labels(&["left", "right"])),
            preprocessing: Some(Preprocessing::MNIST),
            ..Metadata::default()
        };
        let none = Metadata::default();
        for (metadata, checkpoint, preprocessing, names) in [
            (
                &stored,
                Some(&CHECKPOINT),
                Preprocessing::MNIST,
                &["left", "right"][..],
            ),
            (&stored, None, Preprocessing::MNIST, &["left", "right"]),
            (
                &none,
                Some(&CHECKPOINT),
                CHECKPOINT.preprocessing,
                &["cat", "dog"],
            ),
            (&none, None, Preprocessing::CIFAR_10, &[]),
        ] {
            assert_eq!(
                PUBLISHED.preprocessing_of(metadata, checkpoint),
                preprocessing
            );
            assert_eq!(PUBLISHED.labels_of(metadata, checkpoint, 2), labels(names));
            assert_eq!(PUBLISHED.labels_of(metadata, checkpoint, 3), labels(&[]));
        }
    }
}
