//! Reads files into memory and decompresses gzip.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::error::DataError;

/// Largest decompressed file size, in bytes: 2 GiB, ten times the largest file of MNIST and CIFAR.
const MAX_BYTES: u64 = 2 << 30;

/// Magic number of gzip.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Reads the file at `path`, decompressed if it is gzip.
pub fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    let failed = |source| DataError::Read {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    File::open(path)
        .map_err(failed)?
        .take(MAX_BYTES)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    decompress(path, &bytes)
}

/// Decompresses `bytes` if they are gzip; otherwise returns a copy. Errors name `path`.
pub fn decompress(path: &Path, bytes: &[u8]) -> Result<Vec<u8>, DataError> {
    if !bytes.starts_with(&GZIP_MAGIC) {
        return Ok(bytes.to_owned());
    }
    let failed = |source: io::Error| DataError::Format {
        path: path.to_owned(),
        reason: format!("cannot be decompressed: {source}"),
    };
    let mut decompressed = Vec::new();
    let length = MultiGzDecoder::new(bytes)
        .take(MAX_BYTES + 1)
        .read_to_end(&mut decompressed)
        .map_err(failed)?;
    if length as u64 > MAX_BYTES {
        return Err(DataError::Format {
            path: path.to_owned(),
            reason: format!("decompresses to more than {} MiB", MAX_BYTES >> 20),
        });
    }
    Ok(decompressed)
}
