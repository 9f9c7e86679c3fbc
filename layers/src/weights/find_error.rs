//! Errors of finding and downloading a checkpoint.

use std::io;
use std::path::PathBuf;

/// The environment variable that sets the cache folder.
pub(super) const CACHE_VARIABLE: &str = "RECEPTIVE_CACHE";

/// Why the file of a checkpoint is not available.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// The given weight file does not exist.
    #[error("no weight file at {}", path.display())]
    NoFile {
        /// Path of the file.
        path: PathBuf,
    },
    /// The environment defines no cache folder.
    #[error("cannot determine the cache folder: set {CACHE_VARIABLE} or HOME")]
    NoCacheFolder,
    /// The cache folder cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Cache {
        /// Path of the file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// A file in the cache cannot be read.
    #[error("cannot read {}: {source}; delete it and run again", path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// A file in the cache is not the published one.
    #[error(
        "{} is damaged, its SHA-256 is {found}, expected {expected}: delete {} and run again",
        path.display(),
        path.display()
    )]
    Damaged {
        /// Path of the file.
        path: PathBuf,
        /// Published hash, or that of the file when it was first used, in hexadecimal: all 64 digits
        /// or the first ones.
        expected: String,
        /// Hash of the file, 64 hexadecimal digits.
        found: String,
    },
    /// The checkpoint is not in the cache and cannot be downloaded.
    #[error(
        "cannot download {url}: {reason}. Download it by other means and save it as {}, or give \
         the path of a weight file",
        cached.display()
    )]
    Unavailable {
        /// Address of the file.
        url: String,
        /// Path of the file in the cache.
        cached: PathBuf,
        /// Why the download failed.
        reason: String,
    },
    /// The connection ended before the whole file arrived.
    #[error(
        "the download of {url} stopped after {received} bytes{}: {reason}; run again",
        expected.map_or(String::new(), |expected| format!(" of {expected}"))
    )]
    Interrupted {
        /// Address of the file.
        url: String,
        /// Bytes received.
        received: u64,
        /// Length of the file according to the server, in bytes.
        expected: Option<u64>,
        /// Why the connection ended.
        reason: String,
    },
    /// The downloaded file is not the published one.
    #[error(
        "{url} has SHA-256 {found}, expected {expected}; the downloaded file was deleted, run again"
    )]
    Hash {
        /// Address of the file.
        url: String,
        /// Published hash in hexadecimal: all 64 digits or the first ones.
        expected: String,
        /// Hash of the downloaded file, 64 hexadecimal digits.
        found: String,
    },
    /// The file at the address is larger than any published file.
    #[error("{url} has more than {} MiB, the limit of a download", limit >> 20)]
    TooLarge {
        /// Address of the file.
        url: String,
        /// The limit in bytes.
        limit: u64,
    },
}
