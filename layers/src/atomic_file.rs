//! Files that appear under their path complete or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use crate::scratch::ScratchFile;

/// Longest chain of symbolic links that is followed, as on Linux.
const MAX_LINKS: usize = 40;

/// A file that is written under a temporary name and renamed to its path by
/// [`commit`](Self::commit).
///
/// The temporary file is in the folder of the path, so that the rename stays within one file
/// system. Dropping an `AtomicFile` without a commit deletes the temporary file and leaves the path
/// unchanged.
///
/// Symbolic links are followed: the file that a link leads to is replaced, and the link stays. A
/// path that exists and is no regular file, such as a device, a named pipe or `/dev/stdout`, is
/// never replaced: the commit writes the content to it.
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
    temporary: ScratchFile,
    destination: Destination,
}

/// Target of a commit.
#[derive(Debug, PartialEq, Eq)]
pub enum Destination {
    /// Replaces the regular file at this path, which need not exist.
    Replace(PathBuf),
    /// Writes to this device or pipe.
    Append(PathBuf),
}

impl AtomicFile {
    /// Creates an empty temporary file in the folder of `path`, or in the system's folder of
    /// temporary files if `path` is a device or a pipe.
    ///
    /// # Errors
    ///
    /// The folder does not exist or is not writable, or `path` is a folder.
    pub fn create(path: &Path) -> io::Result<Self> {
        let destination = destination(path)?;
        let temporary = match &destination {
            Destination::Replace(path) => ScratchFile::create_in(folder(path))?,
            Destination::Append(_) => ScratchFile::create_in(&std::env::temp_dir())?,
        };
        Ok(Self {
            temporary,
            destination,
        })
    }

    /// Writes `bytes` to `path` atomically.
    ///
    /// # Errors
    ///
    /// The file cannot be written; a regular file at `path` is then unchanged.
    pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = Self::create(path)?;
        file.write_all(bytes)?;
        file.commit()
    }

    /// Returns the temporary file, for writers that also seek.
    pub fn file_mut(&mut self) -> &mut File {
        self.temporary.file_mut()
    }

    /// Returns the path of the temporary file, for writers that open a path.
    pub fn temporary_path(&self) -> &Path {
        self.temporary.path()
    }

    /// Flushes the content to the disk, renames the temporary file to the path, replacing any
    /// regular file there, and flushes the folder. Writers with a buffer of their own must be
    /// flushed before.
    ///
    /// # Errors
    ///
    /// The content cannot be flushed or the file cannot be renamed; a regular file at the path is
    /// then unchanged.
    pub fn commit(mut self) -> io::Result<()> {
        match self.destination {
            Destination::Replace(path) => {
                self.temporary.file_mut().sync_all()?;
                keep_permissions(&path, self.temporary.path())?;
                self.temporary.persist(&path)?;
                sync_folder(folder(&path))
            }
            Destination::Append(path) => {
                let mut output = OpenOptions::new().append(true).open(path)?;
                let content = self.temporary.file_mut();
                content.rewind()?;
                io::copy(content, &mut output)?;
                output.flush()
            }
        }
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file_mut().flush()
    }
}

/// Follows the symbolic links of `path`.
///
/// # Errors
///
/// `path` is a folder, has too many symbolic links, or cannot be examined.
pub fn destination(path: &Path) -> io::Result<Destination> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) if !metadata.is_file() => Ok(Destination::Append(path.to_owned())),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        // A regular file, or none; a link may lead to either.
        _ => {
            let mut target = path.to_owned();
            for _ in 0..MAX_LINKS {
                // `/dev/stdout` leads here, and on to a regular file if the output of the
                // process is redirected to one.
                if is_descriptor(&target) {
                    return Ok(Destination::Append(path.to_owned()));
                }
                match fs::read_link(&target) {
                    Ok(link) => target = folder(&target).join(link),
                    Err(_) => return Ok(Destination::Replace(target)),
                }
            }
            Err(io::Error::other("the path has too many symbolic links"))
        }
    }
}

/// Flushes `file`, which is open under the path `from`, to the disk and renames it to `path` in the same
/// folder, replacing any regular file there.
///
/// # Errors
///
/// The content cannot be flushed or the file cannot be renamed; a regular file at `path` is then
/// unchanged.
pub fn replace(file: &File, from: &Path, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    keep_permissions(path, from)?;
    fs::rename(from, path)?;
    sync_folder(folder(path))
}

/// Whether `path` is a file of an open descriptor, such as `/proc/self/fd/1`.
fn is_descriptor(path: &Path) -> bool {
    let folder = folder(path);
    let resolved = fs::canonicalize(folder).unwrap_or_default();
    resolved.starts_with("/proc") || resolved == Path::new("/dev/fd")
}

/// Returns the folder of the file at `path`.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Gives the file at `temporary` the permissions of the regular file at `path`, if there is one.
fn keep_permissions(path: &Path, temporary: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if cfg!(unix) => fs::set_permissions(temporary, metadata.permissions()),
        _ => Ok(()),
    }
}

/// Flushes the entries of `folder` to the disk, so that a renamed file survives a loss of power.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // The folder cannot be read, or its file system does not flush folders. The file is renamed
        // nevertheless.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::PermissionDenied
                    | io::ErrorKind::InvalidInput
                    | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::is_scratch_name;

    #[test]
    fn dropping_an_uncommitted_file_leaves_the_path_unchanged() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("file");
        fs::write(&path, "old").expect("written");
        let mut file = AtomicFile::create(&path).expect("created");
        file.write_all(b"new").expect("written");
        let name = file.temporary_path().file_name().expect("a file name");
        assert!(is_scratch_name(name));
        drop(file);
        assert_eq!(fs::read(&path).expect("read"), b"old");
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1);
    }

    #[test]
    fn a_folder_is_an_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let error = AtomicFile::create(folder.path()).expect_err("a folder");
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
    }

    #[cfg(unix)]
    mod unix {
        use std::os::unix::fs::{PermissionsExt, symlink};
        use std::process::Command;
        use std::thread;

        use super::*;

        #[test]
        fn links_are_followed_and_permissions_are_kept() {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let at = |name: &str| folder.path().join(name);
            fs::create_dir(at("other")).expect("made");
            fs::write(at("other/file"), "old").expect("written");
            let mode = fs::Permissions::from_mode(0o640);
            fs::set_permissions(at("other/file"), mode).expect("set");
            symlink("other/file", at("second")).expect("linked");
            symlink(at("second"), at("first")).expect("linked");
            symlink("new", at("dangling")).expect("linked");
            symlink("loop", at("loop")).expect("linked");
            AtomicFile::write(&at("first"), b"new").expect("written");
            AtomicFile::write(&at("dangling"), b"new").expect("written");
            assert!(AtomicFile::write(&at("loop"), b"new").is_err());
            for link in ["first", "second", "dangling", "loop"] {
                assert!(at(link).is_symlink(), "{link}");
            }
            for file in ["other/file", "new"] {
                assert_eq!(fs::read(at(file)).expect("read"), b"new", "{file}");
            }
            let mode = fs::metadata(at("other/file")).expect("there").permissions();
            assert_eq!(mode.mode() & 0o777, 0o640);
            assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 6);
            assert_eq!(fs::read_dir(at("other")).expect("listed").count(), 1);
        }

        #[test]
        fn devices_and_pipes_are_written_to() {
            AtomicFile::write(Path::new("/dev/null"), b"content").expect("written");
            assert!(!fs::metadata("/dev/null").expect("there").is_file());
            let folder = tempfile::tempdir().expect("a temporary folder");
            let pipe = folder.path().join("pipe");
            let made = Command::new("mkfifo").arg(&pipe).status().expect("run");
            assert!(made.success());
            let reader = thread::spawn({
                let pipe = pipe.clone();
                move || fs::read(pipe).expect("read")
            });
            AtomicFile::write(&pipe, b"content").expect("written");
            assert_eq!(reader.join().expect("ended"), b"content");
            assert!(!fs::metadata(&pipe).expect("there").is_file());
        }

        #[cfg(target_os = "linux")]
        #[test]
        fn a_full_device_is_an_error_and_a_descriptor_is_never_replaced() {
            let error = AtomicFile::write(Path::new("/dev/full"), b"content").expect_err("full");
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
            let folder = tempfile::tempdir().expect("a temporary folder");
            let path = folder.path().join("redirected");
            let open = File::create(&path).expect("created");
            let descriptor = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&open));
            let link = folder.path().join("stdout");
            symlink(descriptor, &link).expect("linked");
            AtomicFile::write(&link, b"one ").expect("written");
            AtomicFile::write(&link, b"two").expect("written");
            assert_eq!(fs::read(&path).expect("read"), b"one two");
            assert_eq!(open.metadata().expect("open").len(), 7);
        }
    }
}
