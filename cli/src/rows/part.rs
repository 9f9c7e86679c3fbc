//! The file `FILE.part` of a run that is not complete, and the settings of the run.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
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
        let part = Self::name(path);
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
            Err(TryLockError::Error(_)) => {}
        }
        Ok(Self {
            path: path.to_owned(),
            part,
            file,
        })
    }

    /// Returns the path of the file under construction of the file at `path`.
    pub fn name(path: &Path) -> PathBuf {
        with_suffix(path, ".part")
    }

    /// Whether there is a file under construction of the file at `path`.
    pub fn exists(path: &Path) -> bool {
        Self::name(path).exists()
    }

    /// Whether an interrupted run left settings.
    pub fn has_settings(&self) -> bool {
        self.settings_path().exists()
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
    /// [`CliError::OtherSettings`] names the first setting that differs, [`CliError::RowSettings`] when
    /// the settings cannot be read.
    pub fn check_settings(&self, settings: &Settings) -> Result<(), CliError> {
        let path = self.settings_path();
        let failed = |source| CliError::RowSettings {
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

    /// Flushes the file to the disk.
    ///
    /// # Errors
    ///
    /// [`CliError::Rows`] when the disk is full or fails.
    pub fn sync(&self) -> Result<(), CliError> {
        self.file.sync_all().map_err(|source| CliError::Rows {
            path: self.part.clone(),
            source,
        })
    }

    /// Gives the complete file its name. [`Part::remove_settings`] follows.
    ///
    /// # Errors
    ///
    /// [`CliError::RowsReplaced`] when another file has its name, [`CliError::Rows`] when the file cannot
    /// be renamed.
    pub fn commit(&self) -> Result<(), CliError> {
        if !self.has_its_name() {
            return Err(CliError::RowsReplaced {
                path: self.part.clone(),
            });
        }
        atomic_file::replace(&self.file, &self.part, &self.path).map_err(|source| CliError::Rows {
            path: self.path.clone(),
            source,
        })
    }

    /// Whether the open file is the one with the name of the file under construction.
    #[cfg(unix)]
    fn has_its_name(&self) -> bool {
        use std::os::unix::fs::MetadataExt;

        let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        match (self.file.metadata(), fs::metadata(&self.part)) {
            (Ok(open), Ok(named)) => id(open) == id(named),
            _ => false,
        }
    }

    /// An open file cannot be replaced.
    #[cfg(not(unix))]
    fn has_its_name(&self) -> bool {
        true
    }

    /// Deletes the file under construction, whose content is in another file.
    pub fn remove(&self) {
        // If it stays, the next run for the same file says how to remove it.
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

/// Returns the path of the CSV file of paths beside the array at `path`: `vectors.paths.csv` for
/// `vectors.npy`.
pub fn paths_file(path: &Path) -> PathBuf {
    let is_npy = |extension: &OsStr| extension.eq_ignore_ascii_case("npy");
    match path.extension().is_some_and(is_npy) {
        true => path.with_extension("paths.csv"),
        false => with_suffix(path, ".paths.csv"),
    }
}

/// Appends `suffix` to the name of a file.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}
