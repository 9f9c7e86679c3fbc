//! Lock of a run's output folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use crate::error::TrainError;

/// Exclusive lock of the output folder of a run, until it is dropped or the process ends.
///
/// The lock is the operating system's lock of an empty file in the folder, which stays there.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Locks `folder`, which exists, by the file at `path`.
    ///
    /// # Errors
    ///
    /// [`TrainError::Locked`] when another process holds the lock, [`TrainError::Write`] when the
    /// file cannot be created.
    pub(super) fn acquire(folder: &Path, path: &Path) -> Result<Self, TrainError> {
        let write_error = |source: io::Error| TrainError::Write {
            path: path.to_owned(),
            source,
        };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(write_error)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(TrainError::Locked {
                    folder: folder.to_owned(),
                });
            }
            // The file system has no locks.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(write_error(error)),
        }
        Ok(Self { _file: file })
    }
}
