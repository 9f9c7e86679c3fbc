//! Atomic writes of output files.

use std::io::Write;
use std::path::Path;

use receptive_layers::atomic_file::AtomicFile;

use crate::error::TrainError;

/// Writes `bytes` to the file at `path` atomically: another process sees the old file or the
/// complete new file.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let write = || {
        let mut file = AtomicFile::create(path)?;
        file.write_all(bytes)?;
        file.commit()
    };
    write().map_err(|source| TrainError::Write {
        path: path.to_owned(),
        source,
    })
}
