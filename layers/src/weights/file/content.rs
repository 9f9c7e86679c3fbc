//! Content of a weight file of any format.

use std::fmt;
use std::io;
use std::path::Path;

use burn_store::burn_pack::Tensor as StoredTensor;

use crate::metadata::Metadata;
use crate::weights::error::WeightsError;
use crate::weights::format::Format;
use crate::weights::naming::Naming;

/// Key of the metadata in a file that stores metadata by key. The value is JSON.
pub(super) const METADATA_KEY: &str = "receptive";

/// Path of a file in memory in error messages.
pub const IN_MEMORY: &str = "the file in memory";

/// Content of a weight file.
pub struct Content {
    /// Key of the dictionary that contains the tensors, if the file has several.
    pub key: Option<String>,
    /// Keys of the file's other dictionaries of weights.
    pub other_keys: Vec<String>,
    /// The tensors, without their values.
    pub tensors: Vec<StoredTensor>,
    /// Naming convention of the tensors.
    pub naming: Naming,
    /// Network, classes and preprocessing of the weights.
    pub metadata: Metadata,
}

/// Parses the metadata in the file at `path`, if it has any.
pub(super) fn parse_metadata(
    json: Option<&[u8]>,
    path: &Path,
    format: Format,
) -> Result<Metadata, WeightsError> {
    let Some(json) = json else {
        return Ok(Metadata::default());
    };
    let corrupt = |error: &dyn fmt::Display| {
        let reason = format!("the metadata {METADATA_KEY:?} is damaged: {error}");
        WeightsError::corrupt(path, format, reason)
    };
    let metadata: Metadata = serde_json::from_slice(json).map_err(|error| corrupt(&error))?;
    metadata.validate().map_err(|error| corrupt(&error))?;
    Ok(metadata)
}

/// Returns the metadata as JSON, or `None` if there is none.
pub(super) fn metadata_text(metadata: &Metadata) -> io::Result<Option<String>> {
    if metadata.is_empty() {
        return Ok(None);
    }
    Ok(Some(serde_json::to_string(metadata)?))
}

impl Content {
    /// Returns the content of a file that has no dictionaries within it.
    pub fn flat(tensors: Vec<StoredTensor>, naming: Naming, metadata: Metadata) -> Self {
        Self {
            key: None,
            other_keys: Vec::new(),
            tensors,
            naming,
            metadata,
        }
    }

    /// Returns the tensors whose names start with `key` and a separator, without both.
    pub fn within(self, key: &str, path: &Path) -> Result<Self, WeightsError> {
        let inside = |name: &str| -> Option<String> {
            let rest = name.strip_prefix(key)?;
            Some(rest.strip_prefix(SEPARATORS)?.to_owned())
        };
        if !self
            .tensors
            .iter()
            .any(|tensor| inside(&tensor.name).is_some())
        {
            let names = self.tensors.iter().map(|tensor| tensor.name.as_str());
            return Err(no_key(path, key, names));
        }
        let tensors = self.tensors.into_iter().filter_map(|mut tensor| {
            tensor.name = inside(&tensor.name)?;
            Some(tensor)
        });
        Ok(Self {
            key: Some(key.to_owned()),
            tensors: tensors.collect(),
            ..self
        })
    }
}

/// Characters between the key of a dictionary and the name of a tensor.
const SEPARATORS: [char; 2] = ['.', '/'];

/// Returns the error that no tensor of the file at `path`, which contains tensors with these `names`,
/// is under `key`.
fn no_key<'a>(path: &Path, key: &str, names: impl Iterator<Item = &'a str>) -> WeightsError {
    let mut known: Vec<String> = names
        .filter_map(|name| name.split(SEPARATORS).next())
        .map(str::to_owned)
        .collect();
    known.sort_unstable();
    known.dedup();
    WeightsError::NoKey {
        path: path.to_owned(),
        key: key.to_owned(),
        known,
    }
}
