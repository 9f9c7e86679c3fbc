//! Atomic writes of output files.

use std::path::Path;

use receptive_layers::atomic_file::AtomicFile;

use crate::error::TrainError;

/// Writes `bytes` to the file at `path` atomically: another process sees the old file or the
/// complete new file.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    AtomicFile::write(path, bytes).map_err(|source| TrainError::Write {
        path: path.to_owned(),
        source,
    })
}
