//! Scratch files and folders: content that is renamed to its path, or deleted.
//!
//! Every scratch file and folder of the process is registered, so that the handler of a signal can
//! delete them with [`remove_all`]. Those that a killed process left are deleted by the next
//! process that writes to the same folder.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tempfile::{NamedTempFile, TempDir};

/// Start of the name of a scratch file or folder.
const PREFIX: &str = ".receptive-";
/// End of the name of a scratch file or folder.
const SUFFIX: &str = ".part";

/// Age from which an empty scratch file without a lock is deleted. Its process may be about to lock
/// a younger one.
const EMPTY_AGE: Duration = Duration::from_secs(60);

/// Age from which scratch files are deleted on systems where they are not locked.
#[cfg(not(unix))]
const UNLOCKED_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Scratch files and folders of the process.
struct Registry {
    /// Paths that exist.
    live: BTreeSet<PathBuf>,
    /// Folders whose abandoned scratch files were deleted.
    swept: BTreeSet<PathBuf>,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
    live: BTreeSet::new(),
    swept: BTreeSet::new(),
});

fn registry() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Deletes all scratch files and folders of the process, and blocks every thread that creates or
/// drops another one: the process must end next.
pub fn remove_all() {
    let registry = registry();
    for path in &registry.live {
        // A path that is gone was renamed to its destination.
        let _ = if path.is_dir() {
            fs::remove_dir_all(path)
        } else {
            fs::remove_file(path)
        };
    }
    std::mem::forget(registry);
}

/// Returns whether `name` is the name of a scratch file or folder.
pub fn is_scratch_name(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Deletes the scratch files and folders in `folder` whose processes have ended.
///
/// A process holds a lock on each of its scratch files. Errors are ignored: a scratch file that
/// remains does no harm.
pub fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if is_scratch_name(&entry.file_name()) && is_abandoned(&path).unwrap_or(false) {
            let _ = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
        }
    }
}

/// Returns whether the process of the scratch file or folder at `path` has ended.
fn is_abandoned(path: &Path) -> io::Result<bool> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Ok(false);
    }
    let age = metadata.modified()?.elapsed().unwrap_or_default();
    #[cfg(unix)]
    {
        let is_empty = if metadata.is_dir() {
            fs::read_dir(path)?.next().is_none()
        } else {
            metadata.len() == 0
        };
        Ok((!is_empty || age >= EMPTY_AGE) && File::open(path)?.try_lock().is_ok())
    }
    #[cfg(not(unix))]
    {
        Ok(age >= UNLOCKED_AGE.max(EMPTY_AGE))
    }
}

/// Creates a scratch file or folder in `folder` with `create`, locks it and registers it. Deletes
/// abandoned ones before.
fn create<T>(
    folder: &Path,
    create: impl FnOnce(&tempfile::Builder<'_, '_>, &Path) -> io::Result<T>,
    path: impl FnOnce(&T) -> &Path,
) -> io::Result<T> {
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    if registry().swept.insert(folder.to_owned()) {
        sweep(folder);
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    // The registry is locked from the creation on, so that `remove_all` misses no file.
    let mut registry = registry();
    let created = create(&builder, folder).map_err(without_path)?;
    registry.live.insert(path(&created).to_owned());
    Ok(created)
}

/// Returns an error of `tempfile` without the path of the scratch file, which ends its message.
fn without_path(error: io::Error) -> io::Error {
    let message = error.to_string();
    match message.split_once(" at path \"") {
        Some((reason, _)) => io::Error::new(error.kind(), reason),
        None => error,
    }
}

/// A scratch file, which is deleted when it is dropped.
#[derive(Debug)]
pub struct ScratchFile {
    file: Option<NamedTempFile>,
    path: PathBuf,
}

impl ScratchFile {
    /// Creates an empty scratch file in `folder`.
    ///
    /// # Errors
    ///
    /// The folder does not exist or is not writable.
    pub fn create_in(folder: &Path) -> io::Result<Self> {
        let file = create(
            folder,
            |builder, folder| {
                #[cfg(unix)]
                let builder = {
                    use std::os::unix::fs::PermissionsExt;
                    // `tempfile` creates files that only their owner can read; the renamed file has
                    // the permissions of an ordinary file.
                    let mut builder = builder.clone();
                    builder.permissions(fs::Permissions::from_mode(0o666));
                    builder
                };
                builder.tempfile_in(folder)
            },
            NamedTempFile::path,
        )?;
        // File systems without locks have no sweep either.
        #[cfg(unix)]
        let _ = file.as_file().try_lock();
        Ok(Self {
            path: file.path().to_owned(),
            file: Some(file),
        })
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open file.
    ///
    /// # Panics
    ///
    /// Never: the file is open until [`persist`](Self::persist).
    pub fn file_mut(&mut self) -> &mut File {
        self.file.as_mut().expect("an open file").as_file_mut()
    }

    /// Renames the file to `path`, replacing any file there.
    ///
    /// # Errors
    ///
    /// The file cannot be renamed; it is deleted, and `path` is unchanged.
    pub fn persist(mut self, path: &Path) -> io::Result<()> {
        match self.file.take() {
            Some(file) => file.persist(path).map(drop).map_err(|error| error.error),
            None => Ok(()),
        }
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        let mut registry = registry();
        self.file = None;
        registry.live.remove(&self.path);
    }
}

/// A scratch folder, which is deleted with its content when it is dropped.
#[derive(Debug)]
pub struct ScratchFolder {
    folder: Option<TempDir>,
    path: PathBuf,
    /// Holds the lock.
    _lock: Option<File>,
}

impl ScratchFolder {
    /// Creates an empty scratch folder in `parent`.
    ///
    /// # Errors
    ///
    /// The parent does not exist or is not writable.
    pub fn create_in(parent: &Path) -> io::Result<Self> {
        let folder = create(
            parent,
            |builder, parent| {
                #[cfg(unix)]
                let builder = {
                    use std::os::unix::fs::PermissionsExt;
                    let mut builder = builder.clone();
                    builder.permissions(fs::Permissions::from_mode(0o777));
                    builder
                };
                builder.tempdir_in(parent)
            },
            TempDir::path,
        )?;
        let lock = if cfg!(unix) {
            File::open(folder.path())
                .ok()
                .filter(|file| file.try_lock().is_ok())
        } else {
            None
        };
        Ok(Self {
            path: folder.path().to_owned(),
            folder: Some(folder),
            _lock: lock,
        })
    }

    /// Path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Renames the folder to `path`, unless another process has put a folder there.
    ///
    /// # Errors
    ///
    /// The folder cannot be renamed and there is none at `path`; the scratch folder is deleted.
    pub fn persist(mut self, path: &Path) -> io::Result<()> {
        match fs::rename(&self.path, path) {
            Ok(()) => {
                if let Some(folder) = self.folder.take() {
                    // The scratch folder is gone; `keep` only stops its deletion.
                    let _ = folder.keep();
                }
                Ok(())
            }
            Err(_) if path.is_dir() => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        let mut registry = registry();
        self.folder = None;
        registry.live.remove(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(folder: &Path) -> usize {
        fs::read_dir(folder).expect("a folder").count()
    }

    #[test]
    fn dropped_scratch_files_and_folders_are_deleted_and_persisted_ones_stay() {
        let parent = tempfile::tempdir().expect("a folder");
        let file = ScratchFile::create_in(parent.path()).expect("created");
        let folder = ScratchFolder::create_in(parent.path()).expect("created");
        fs::write(folder.path().join("part"), "content").expect("written");
        for path in [file.path(), folder.path()] {
            assert!(path.exists() && is_scratch_name(path.file_name().expect("a name")));
            assert!(registry().live.contains(path));
        }
        let paths = [file.path().to_owned(), folder.path().to_owned()];
        file.persist(&parent.path().join("file")).expect("renamed");
        folder
            .persist(&parent.path().join("folder"))
            .expect("renamed");
        assert!(parent.path().join("folder/part").is_file());
        assert_eq!(count(parent.path()), 2);
        drop(ScratchFile::create_in(parent.path()).expect("created"));
        let other = ScratchFolder::create_in(parent.path()).expect("created");
        fs::write(other.path().join("part"), "other").expect("written");
        // Another process has already put the folder there.
        other.persist(&parent.path().join("folder")).expect("there");
        assert_eq!(count(parent.path()), 2);
        assert!(paths.iter().all(|path| !registry().live.contains(path)));
    }

    #[cfg(unix)]
    #[test]
    fn files_of_ended_processes_are_swept_and_locked_ones_are_kept() {
        let parent = tempfile::tempdir().expect("a folder");
        let mut used = ScratchFile::create_in(parent.path()).expect("created");
        io::Write::write_all(used.file_mut(), b"in use").expect("written");
        let folder = ScratchFolder::create_in(parent.path()).expect("created");
        fs::write(folder.path().join("part"), "in use").expect("written");
        let abandoned = parent.path().join(".receptive-dead.part");
        fs::create_dir(&abandoned).expect("made");
        fs::write(abandoned.join("part"), "left").expect("written");
        fs::write(parent.path().join(".receptive-dead2.part"), "left").expect("written");
        // An empty file may be one that its process has not locked yet.
        fs::write(parent.path().join(".receptive-new.part"), "").expect("written");
        fs::write(parent.path().join(".receptive.toml"), "mine").expect("written");
        sweep(parent.path());
        assert!(used.path().exists() && folder.path().exists() && !abandoned.exists());
        assert_eq!(count(parent.path()), 4);
    }

    #[test]
    fn errors_do_not_name_the_scratch_file() {
        let error = ScratchFile::create_in(Path::new("no/such/folder")).expect_err("no folder");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(!error.to_string().contains(PREFIX), "{error}");
    }
}
