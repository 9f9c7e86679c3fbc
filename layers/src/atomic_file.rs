//! Files that appear under their path complete or not at all.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Start of a temporary file's name.
const PREFIX: &str = ".receptive-";
/// End of a temporary file's name.
const SUFFIX: &str = ".part";

/// A file that is written under a temporary name and renamed to its path by
/// [`commit`](Self::commit).
///
/// The temporary file is in the folder of the path, so that the rename stays within one file
/// system. Dropping an `AtomicFile` without a commit deletes the temporary file and leaves the path
/// unchanged.
///
/// ```
/// use std::io::Write;
/// use receptive_layers::atomic_file::AtomicFile;
///
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("result.json");
/// let mut file = AtomicFile::create(&path)?;
/// file.write_all(b"{}")?;
/// assert!(!path.exists());
/// file.commit()?;
/// assert_eq!(std::fs::read(&path)?, b"{}");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct AtomicFile {
    temporary: NamedTempFile,
    path: PathBuf,
}

impl AtomicFile {
    /// Creates an empty temporary file in the folder of `path`.
    ///
    /// # Errors
    ///
    /// The folder does not exist or is not writable.
    pub fn create(path: &Path) -> io::Result<Self> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        // `tempfile` creates files that only their owner can read; the committed file has the
        // permissions of an ordinary file.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        Ok(Self {
            temporary: builder.tempfile_in(folder)?,
            path: path.to_owned(),
        })
    }

    /// Returns the temporary file, for writers that also seek.
    pub fn file_mut(&mut self) -> &mut File {
        self.temporary.as_file_mut()
    }

    /// Returns the path of the temporary file, for writers that open a path.
    pub fn temporary_path(&self) -> &Path {
        self.temporary.path()
    }

    /// Flushes the content to the disk, then renames the temporary file to the path, replacing any
    /// file there.
    ///
    /// # Errors
    ///
    /// The content cannot be flushed or the file cannot be renamed; the path is then unchanged.
    pub fn commit(self) -> io::Result<()> {
        self.temporary.as_file().sync_all()?;
        self.temporary
            .persist(self.path)
            .map_err(|error| error.error)?;
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temporary.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.flush()
    }
}

/// Returns whether `name` is the file name of an [`AtomicFile`] that was never committed, which
/// remains when a process is killed during a write.
pub fn is_temporary_name(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn dropping_an_uncommitted_file_leaves_the_path_unchanged() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("file");
        fs::write(&path, "old").expect("written");
        let mut file = AtomicFile::create(&path).expect("created");
        file.write_all(b"new").expect("written");
        let name = file.temporary_path().file_name().expect("a file name");
        assert!(is_temporary_name(name) && !is_temporary_name(OsStr::new("file")));
        drop(file);
        assert_eq!(fs::read(&path).expect("read"), b"old");
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1);
    }
}
