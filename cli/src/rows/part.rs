//! The file `FILE.part` of a run that is not complete, and the settings of the run.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use receptive_layers::atomic_file::{self, AtomicFile};
use receptive_layers::bounded_file;

use super::settings::Settings;
use crate::error::CliError;

/// Size of the longest file of settings, in bytes.
const MAX_SETTINGS: u64 = 1 << 20;

/// A file under construction, which this process has locked.
pub struct Part {
    /// The finished file.
    pub path: PathBuf,
    /// Path of the file under construction.
    part: PathBuf,
    /// The open file.
    pub file: File,
}

impl Part {
    /// Opens or creates `FILE.part` for the file at `path`, and locks it.
    ///
    /// # Errors
    ///
    /// [`CliError::RowsLocked`] when another process has locked the file, [`CliError::Rows`] when it
    /// cannot be created.
    pub fn open(path: &Path) -> Result<Self, CliError> {
        let part = with_suffix(path, ".part");
        let failed = |source| CliError::Rows {
            path: part.clone(),
            source,
        };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&part)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(CliError::RowsLocked {
                    path: path.to_owned(),
                });
            }
            // The file system has no locks.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        Ok(Self {
            path: path.to_owned(),
            part,
            file,
        })
    }

    /// Whether a run for the file at `path` was interrupted.
    pub fn exists(path: &Path) -> bool {
        with_suffix(path, ".part").exists()
    }

    /// Writes the settings of a new run beside the file.
    ///
    /// # Errors
    ///
    /// [`CliError::Rows`] when the file cannot be written.
    pub fn write_settings(&self, settings: &Settings) -> Result<(), CliError> {
        let path = self.settings_path();
        let text = serde_json::to_string_pretty(settings)? + "\n";
        AtomicFile::write(&path, text.as_bytes()).map_err(|source| CliError::Rows { path, source })
    }

    /// Checks that the interrupted run had these settings.
    ///
    /// # Errors
    ///
    /// [`CliError::OtherSettings`] names the first setting that differs, [`CliError::Rows`] when the
    /// settings cannot be read.
    pub fn check_settings(&self, settings: &Settings) -> Result<(), CliError> {
        let path = self.settings_path();
        let failed = |source| CliError::Rows {
            path: path.clone(),
            source,
        };
        let text = bounded_file::read_text(&path, MAX_SETTINGS).map_err(failed)?;
        let stored: BTreeMap<String, String> =
            serde_json::from_str(&text).map_err(|error| failed(error.into()))?;
        let none = "nothing".to_owned();
        for name in stored.keys().chain(settings.keys()) {
            let found = stored.get(name).unwrap_or(&none);
            let expected = settings.get(name).unwrap_or(&none);
            if found != expected {
                return Err(CliError::OtherSettings {
                    path: self.part.clone(),
                    name: name.clone(),
                    found: found.clone(),
                    expected: expected.clone(),
                });
            }
        }
        Ok(())
    }

    /// Gives the complete file its name. [`Part::remove_settings`] follows.
    ///
    /// # Errors
    ///
    /// [`CliError::Rows`] when the file cannot be renamed.
    pub fn commit(&self) -> Result<(), CliError> {
        atomic_file::replace(&self.file, &self.part, &self.path).map_err(|source| CliError::Rows {
            path: self.path.clone(),
            source,
        })
    }

    /// Deletes the file under construction, whose content is in another file.
    pub fn remove(&self) {
        // A file that stays is harmless: the next run for the same file says how to remove it.
        let _ = fs::remove_file(&self.part);
    }

    /// Deletes the settings of a complete run.
    pub fn remove_settings(&self) {
        let _ = fs::remove_file(self.settings_path());
    }

    fn settings_path(&self) -> PathBuf {
        with_suffix(&self.part, ".json")
    }
}

/// Appends `suffix` to the name of a file.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}
