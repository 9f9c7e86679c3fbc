//! Files that are there whole or not at all.

use std::fs::File;
use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

/// A file beside `path` under another name, which is removed unless [`publish`] renames it.
///
/// # Errors
///
/// Where the folder takes no files.
pub fn scratch_beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".receptive-").suffix(".part");
    // Temporary files are private by default; a weight file is an ordinary one.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Renames a finished scratch file to `path` once its bytes are on the disk.
///
/// # Errors
///
/// Where they cannot be written, or the file not be renamed.
pub fn publish(scratch: NamedTempFile, path: &Path) -> io::Result<()> {
    scratch.as_file().sync_all()?;
    let _: File = scratch.persist(path).map_err(|error| error.error)?;
    Ok(())
}
