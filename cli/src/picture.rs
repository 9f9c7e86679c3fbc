//! Picture files, which are written completely or not at all.

use std::path::Path;

use receptive_layers::atomic_file::AtomicFile;

use crate::error::CliError;

/// Writes `bytes` to `path`, through a temporary file that is renamed when complete.
///
/// # Errors
///
/// [`CliError::Picture`] when the file cannot be written; an existing file is then unchanged.
pub fn save(bytes: &[u8], path: &Path) -> Result<(), CliError> {
    AtomicFile::write(path, bytes).map_err(|error| cannot_write(path, &error))
}

/// Returns the error that the picture `path` cannot be drawn or written.
pub fn cannot_write(path: &Path, reason: &dyn std::error::Error) -> CliError {
    CliError::Picture {
        path: path.to_owned(),
        message: reason.to_string(),
    }
}
