//! Verification of files in the cache.
//!
//! A file is verified by its SHA-256 once, and again whenever its length or its time of
//! modification has changed. The file `.verified` of its folder has a line for each verified file:
//! SHA-256, length in bytes, time of modification in nanoseconds since 1970, name.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::find_error::FindError;
use crate::atomic_file::AtomicFile;
use crate::sha256;

/// Name of the list of verified files.
const LIST: &str = ".verified";

/// Largest list that is read, in bytes: some thousand files.
const MAX_LIST: u64 = 1 << 20;

/// Line of the list.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    sha256: String,
    length: u64,
    modified: u128,
    name: String,
}

/// Checks that the SHA-256 of the cached file at `path` starts with the hexadecimal digits `digits`.
/// Without digits, the hash must be that of the first check.
///
/// # Errors
///
/// [`FindError::Damaged`] if the file has another hash, [`FindError::Read`] if it cannot be read.
pub fn verify(path: &Path, digits: &str) -> Result<(), FindError> {
    let unreadable = |source| FindError::Read {
        path: path.to_owned(),
        source,
    };
    let known = entry(path);
    let (length, modified) = stamp(path).map_err(unreadable)?;
    let starts_right = |found: &str| found.starts_with(&digits.to_ascii_lowercase());
    if let Some(known) = &known
        && (known.length, known.modified) == (length, modified)
        && starts_right(&known.sha256)
    {
        return Ok(());
    }
    let expected = match &known {
        Some(known) if digits.is_empty() => known.sha256.as_str(),
        _ => digits,
    };
    let found = File::open(path)
        .and_then(sha256::of_reader)
        .map_err(unreadable)?;
    if !found.starts_with(&expected.to_ascii_lowercase()) {
        return Err(FindError::Damaged {
            path: path.to_owned(),
            expected: expected.to_owned(),
            found,
        });
    }
    record(path, found, length, modified);
    Ok(())
}

/// Checks every file in `folder` that was verified before.
///
/// # Errors
///
/// As [`verify`], and [`FindError::Read`] if a file is missing.
pub fn verify_folder(folder: &Path) -> Result<(), FindError> {
    for entry in entries(folder) {
        verify(&folder.join(&entry.name), "")?;
    }
    Ok(())
}

/// Adds the file at `path` to the list. The list saves time only, so that errors are ignored, as in
/// a cache that cannot be written.
fn record(path: &Path, sha256: String, length: u64, modified: u128) {
    let (Some(folder), Some(name)) = (path.parent(), name(path)) else {
        return;
    };
    let mut entries = entries(folder);
    entries.retain(|entry| entry.name != name);
    entries.push(Entry {
        sha256,
        length,
        modified,
        name,
    });
    let lines = entries.iter().map(|entry| {
        let Entry {
            sha256,
            length,
            modified,
            name,
        } = entry;
        format!("{sha256} {length} {modified} {name}\n")
    });
    let text: String = lines.collect();
    let _ = AtomicFile::write(&list(folder), text.as_bytes());
}

fn list(folder: &Path) -> PathBuf {
    folder.join(LIST)
}

fn name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    (!name.contains('\n')).then(|| name.to_owned())
}

/// Returns the entry of the file at `path`.
fn entry(path: &Path) -> Option<Entry> {
    let name = name(path)?;
    let entries = entries(path.parent()?);
    entries.into_iter().find(|entry| entry.name == name)
}

/// Returns the list of the folder without lines that cannot be read.
fn entries(folder: &Path) -> Vec<Entry> {
    let mut text = String::new();
    let read = File::open(list(folder)).and_then(|file| {
        let mut file = file.take(MAX_LIST);
        file.read_to_string(&mut text)
    });
    if read.is_err() {
        return Vec::new();
    }
    let parse = |line: &str| {
        let mut fields = line.splitn(4, ' ');
        Some(Entry {
            sha256: fields.next()?.to_owned(),
            length: fields.next()?.parse().ok()?,
            modified: fields.next()?.parse().ok()?,
            name: fields.next()?.to_owned(),
        })
    };
    text.lines().filter_map(parse).collect()
}

/// Returns the length and the time of modification of a file.
fn stamp(path: &Path) -> io::Result<(u64, u128)> {
    let metadata = fs::metadata(path)?;
    let since = metadata.modified()?.duration_since(UNIX_EPOCH);
    Ok((metadata.len(), since.unwrap_or_default().as_nanos()))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn a_file_is_hashed_again_when_its_length_or_time_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        fs::write(&path, "weights").expect("written");
        let right = sha256::of_reader(&b"weights"[..]).expect("hashed");
        let set_time = |seconds: u64| {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            let file = File::options().write(true).open(&path).expect("open");
            file.set_modified(time).expect("set");
        };
        set_time(1_000_000_000);
        verify(&path, &right[..8]).expect("the right prefix");
        verify(&path, &right).expect("the right hash");
        assert!(verify(&path, "0000").is_err());
        // A change that keeps length and time is not noticed.
        fs::write(&path, "weighty").expect("written");
        set_time(1_000_000_000);
        verify(&path, &right).expect("not hashed again");
        // Any other change is.
        for change in 0..2 {
            match change {
                0 => set_time(1_000_000_001),
                _ => fs::write(&path, "weight").expect("written"),
            }
            for expected in [&right[..8], &right, ""] {
                let error = verify(&path, expected).expect_err("damaged");
                let message = error.to_string();
                for part in [path.to_str().expect("UTF-8"), &right[..8], "delete"] {
                    assert!(message.contains(part), "{message}");
                }
                assert!(verify_folder(folder.path()).is_err());
            }
        }
        fs::write(&path, "weights").expect("written");
        verify_folder(folder.path()).expect("the first content");
        fs::remove_file(&path).expect("removed");
        assert!(verify_folder(folder.path()).is_err(), "missing");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn damage_of_the_list_costs_only_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a file with spaces");
        fs::write(&path, "weights").expect("written");
        for list in [
            &b"\0\0\0"[..],
            b"",
            b"1 2\n",
            b"x y z a file with spaces\n",
            b"\xff",
        ] {
            fs::write(folder.path().join(LIST), list).expect("written");
            verify(&path, "").expect("hashed");
            let entry = entry(&path).expect("listed");
            assert_eq!((entry.length, entry.sha256.len()), (7, 64));
        }
    }
}
