//! Picture files, which are written completely or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};

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

/// A picture file that is written under a temporary name and renamed when complete.
pub struct PictureFile {
    path: PathBuf,
    file: AtomicFile,
}

impl PictureFile {
    /// Creates the temporary file.
    ///
    /// # Errors
    ///
    /// [`CliError::Picture`] when the folder does not exist or is not writable.
    pub fn create(path: &Path) -> Result<Self, CliError> {
        let file = AtomicFile::create(path).map_err(|error| cannot_write(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Writes the content.
    ///
    /// # Errors
    ///
    /// [`CliError::Picture`] when the disk is full.
    pub fn fill(mut self, bytes: &[u8]) -> Result<Self, CliError> {
        let written = self.file.file_mut().write_all(bytes);
        written.map_err(|error| cannot_write(&self.path, &error))?;
        Ok(self)
    }

    /// Renames the file to its path.
    ///
    /// # Errors
    ///
    /// [`CliError::Picture`] when the path is a folder.
    pub fn commit(self) -> Result<(), CliError> {
        let path = self.path;
        self.file
            .commit()
            .map_err(|error| cannot_write(&path, &error))
    }
}

/// Returns the error that the picture `path` cannot be drawn or written.
pub fn cannot_write(path: &Path, reason: &dyn std::error::Error) -> CliError {
    CliError::Picture {
        path: path.to_owned(),
        message: reason.to_string(),
    }
}
