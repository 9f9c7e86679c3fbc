//! Reading of whole files up to a stated size.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Reads the file at `path`, which may be a pipe, of at most `limit` bytes.
///
/// # Errors
///
/// The file cannot be read, or is longer than `limit`; a device without an end is read up to the
/// limit.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut file = File::open(path)?.take(limit + 1);
    file.read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let message = format!("the file is larger than the limit of {} MiB", limit >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// Reads the UTF-8 text of the file at `path` as [`read`] does.
///
/// # Errors
///
/// As [`read`], and if the file is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    String::from_utf8(read(path, limit)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the text is not UTF-8"))
}

/// Checks that `path` is no pipe, socket or device: opening a pipe waits for a writer, and none of them
/// can be read from a given offset.
///
/// # Errors
///
/// The file does not exist, or is no regular file and no folder.
pub fn check_regular(path: &Path) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    if metadata.is_file() || metadata.is_dir() {
        return Ok(());
    }
    let message = "it is a pipe, socket or device, expected a file";
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_up_to_the_limit_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        fs::write(&path, vec![b'a'; 1 << 20]).expect("written");
        assert_eq!(read_text(&path, 1 << 20).expect("read").len(), 1 << 20);
        let error = read(&path, (1 << 20) - 1).expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        fs::write(&path, b"\xff").expect("written");
        assert!(read_text(&path, 1 << 20).is_err());
        assert!(check_regular(&path).is_ok() && check_regular(folder.path()).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_device_without_an_end_is_an_error() {
        let error = read(Path::new("/dev/zero"), 1 << 20).expect_err("no end");
        assert!(error.to_string().contains("the limit of 1 MiB"), "{error}");
        assert!(check_regular(Path::new("/dev/zero")).is_err());
    }
}
