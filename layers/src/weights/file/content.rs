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

/// Content of a weight file.
pub struct Content {
    /// The tensors, without their values.
    pub tensors: Vec<StoredTensor>,
    /// Naming convention of the tensors.
    pub naming: Naming,
    /// What the weights are for.
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
