//! Errors of files of vectors.

use std::io;
use std::path::PathBuf;

/// Why a file of vectors cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VectorFileError {
    /// The file cannot be read.
    #[error("cannot read the vectors {}: {source}", path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system or of the decoder.
        source: io::Error,
    },
    /// The extension is that of no file of vectors.
    #[error(
        "the extension of {} is not that of a file of vectors, expected .npy, .parquet, .jsonl or .csv, as `receptive embed` writes",
        path.display()
    )]
    Format {
        /// Path of the file.
        path: PathBuf,
    },
    /// The content is not a set of vectors.
    #[error("{} does not contain vectors: {reason}", path.display())]
    Content {
        /// Path of the file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
}
