//! Reads files into memory and decompresses gzip.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::error::DataError;

/// Largest file size, decompressed, in bytes: 2 GiB, ten times the largest file of MNIST and CIFAR.
const MAX_BYTES: u64 = 2 << 30;

/// Magic number of gzip.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Reads the file at `path`, decompressed if it is gzip.
pub fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    let failed = |source| DataError::Read {
        path: path.to_owned(),
        source,
    };
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    if file.fill_buf().map_err(failed)?.starts_with(&GZIP_MAGIC) {
        return decompress(path, file);
    }
    read_within_limit(path, file, failed)
}

/// Returns `bytes` decompressed if they are gzip; otherwise a copy. Errors name `path`.
pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Vec<u8>, DataError> {
    match bytes.starts_with(&GZIP_MAGIC) {
        true => decompress(path, bytes),
        false => Ok(bytes.to_owned()),
    }
}

/// Decompresses gzip while it is read, so that memory contains only the decompressed bytes.
fn decompress(path: &Path, compressed: impl BufRead) -> Result<Vec<u8>, DataError> {
    read_within_limit(path, MultiGzDecoder::new(compressed), |source| {
        DataError::Format {
            path: path.to_owned(),
            reason: format!("cannot be decompressed: {source}"),
        }
    })
}

/// Reads all bytes of `source`.
fn read_within_limit(
    path: &Path,
    source: impl Read,
    failed: impl FnOnce(io::Error) -> DataError,
) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    let length = source
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if length as u64 > MAX_BYTES {
        return Err(DataError::Format {
            path: path.to_owned(),
            reason: format!("has more than {} MiB, decompressed", MAX_BYTES >> 20),
        });
    }
    Ok(bytes)
}
