//! Lists of paths.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::error::CliError;

/// The path of standard input.
pub const STANDARD_INPUT: &str = "-";

/// Size of the longest list, in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// Reads the paths in the file at `path`, or in standard input if it is `-`. If the file contains NUL
/// bytes, a path ends with each of them, else with each newline. Empty paths are left out.
///
/// # Errors
///
/// [`CliError::PathList`] if the list cannot be read, is longer than 1 GiB, names no path, or if a path
/// is not UTF-8 on Windows.
pub fn read(path: &Path) -> Result<Vec<PathBuf>, CliError> {
    let failed = |reason: String| CliError::PathList {
        path: path.to_owned(),
        reason,
    };
    let bytes = read_bytes(path).map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(failed("it is larger than the limit of 1 GiB".to_owned()));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(failed("it is UTF-16, expected UTF-8".to_owned()));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let separator = if bytes.contains(&0) { 0 } else { b'\n' };
    let paths = bytes.split(|&byte| byte == separator).map(|line| {
        if separator == b'\n' {
            line.strip_suffix(b"\r").unwrap_or(line)
        } else {
            line
        }
    });
    let paths: Option<Vec<PathBuf>> = paths.filter(|path| !path.is_empty()).map(to_path).collect();
    let paths = paths.ok_or_else(|| failed("a path in it is not UTF-8".to_owned()))?;
    if paths.is_empty() {
        return Err(failed("it contains no path".to_owned()));
    }
    Ok(paths)
}

fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path.as_os_str() == STANDARD_INPUT {
        io::stdin().take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?
            .take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

#[cfg(unix)]
fn to_path(bytes: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;

    Some(std::ffi::OsStr::from_bytes(bytes).into())
}

#[cfg(not(unix))]
fn to_path(bytes: &[u8]) -> Option<PathBuf> {
    std::str::from_utf8(bytes).ok().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(content: &[u8]) -> Result<Vec<PathBuf>, CliError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        std::fs::write(&path, content).unwrap();
        read(&path)
    }

    #[test]
    fn lines_and_nul_bytes_end_paths() {
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(
            list(b"a b.png\nc.jpg").unwrap(),
            paths(&["a b.png", "c.jpg"])
        );
        assert_eq!(
            list(b"\xef\xbb\xbfa\r\n\r\nb\r\n").unwrap(),
            paths(&["a", "b"])
        );
        assert_eq!(list(b"a\nb\0c\r\0").unwrap(), paths(&["a\nb", "c\r"]));
    }

    #[test]
    fn an_empty_list_is_an_error() {
        let error = list(b"\n\n").unwrap_err().to_string();
        assert!(error.contains("no path"), "{error}");
        let error = list(b"\xff\xfea\0\n\0").unwrap_err().to_string();
        assert!(error.contains("UTF-16"), "{error}");
        let error = read(Path::new("no-such-list")).unwrap_err().to_string();
        assert!(error.contains("no-such-list"), "{error}");
    }
}
