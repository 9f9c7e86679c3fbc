//! Text files with a label for each class.

use std::path::Path;

use receptive_layers::labels;

use crate::error::CliError;

/// Reads the labels of `classes` classes.
///
/// # Errors
///
/// [`CliError::Labels`] when the file cannot be read, [`CliError::LabelCount`] when it has not one label for each class.
pub fn open(path: &Path, classes: usize) -> Result<Vec<String>, CliError> {
    let labels = labels::open(path)?;
    match labels.len() == classes {
        true => Ok(labels),
        false => Err(CliError::LabelCount {
            path: path.to_owned(),
            found: labels.len(),
            classes,
        }),
    }
}
