//! Metadata of a set of weights: its network, classes and preprocessing, stored with the weights.

use serde::{Deserialize, Serialize};

use crate::invalid_config::InvalidConfig;
use crate::preprocessing::Preprocessing;

/// Network, classes and preprocessing of a set of weights. Weight files, checkpoints of training runs and
/// plan files contain metadata; files of other programs do not.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// Name of the network, such as `resnet50`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Name of each class, in class order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// Preprocessing of images for the weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preprocessing: Option<Preprocessing>,
    /// Shape of an input image, `[channels, height, width]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<[usize; 3]>,
    /// SHA-256 of the recipe that trained the weights, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipe_sha256: Option<String>,
    /// Version of Receptive that wrote the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl Metadata {
    /// Returns whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Checks that the preprocessing, if there is one, is in its range.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] names the first field that is out of range.
    pub fn validate(&self) -> Result<(), InvalidConfig> {
        match &self.preprocessing {
            Some(preprocessing) => preprocessing.validate(),
            None => Ok(()),
        }
    }
}

/// Version of this crate, as [`Metadata::version`] has it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
