//! Whole files, unpacked where they are gzipped.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::DataError;

/// The most bytes that a file may hold, unpacked: 2 GiB, ten times the largest of MNIST and CIFAR.
const MAX_BYTES: u64 = 2 << 30;

/// The first bytes of a gzipped file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The bytes of the file at `path`, unpacked.
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
    unpack(path, &bytes)
}

/// `bytes`, unpacked where they are gzipped; `path` names them in errors.
pub fn unpack(path: &Path, bytes: &[u8]) -> Result<Vec<u8>, DataError> {
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes.to_owned());
    }
    let failed = |source: io::Error| DataError::Format {
        path: path.to_owned(),
        reason: format!("cannot be unpacked: {source}"),
    };
    let mut unpacked = Vec::new();
    let length = MultiGzDecoder::new(bytes)
        .take(MAX_BYTES + 1)
        .read_to_end(&mut unpacked)
        .map_err(failed)?;
    if length as u64 > MAX_BYTES {
        return Err(DataError::Format {
            path: path.to_owned(),
            reason: format!("unpacks to more than {} MiB", MAX_BYTES >> 20),
        });
    }
    Ok(unpacked)
}
