//! Atomic writes of output files.

use std::io::Write;
use std::path::Path;

use receptive_layers::weights::atomic;

use crate::error::TrainError;

/// Writes `bytes` to the file at `path` atomically: another process sees the old file or the
/// complete new file.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let write = || {
        let mut scratch = atomic::scratch_beside(path)?;
        scratch.write_all(bytes)?;
        atomic::publish(scratch, path)
    };
    write().map_err(|source| TrainError::Write {
        path: path.to_owned(),
        source,
    })
}
