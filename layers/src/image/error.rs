//! Errors of decoding.

use std::io;
use std::path::PathBuf;

use super::limit::MAX_BYTES;

/// Why an image cannot be decoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Read(io::Error),
    /// The file has no bytes.
    #[error("is empty")]
    Empty,
    /// The first bytes do not match any image format.
    #[error("is not an image; expected PNG, JPEG, WebP, GIF or BMP")]
    NotAnImage,
    /// The image format is not supported.
    #[error("is an image of the unsupported format {0}; expected PNG, JPEG, WebP, GIF or BMP")]
    UnsupportedFormat(String),
    /// The file is larger than [`MAX_BYTES`].
    #[error("is larger than the limit of {} MiB", MAX_BYTES >> 20)]
    FileTooLarge,
    /// Decoding the pixels would take more memory than the limit.
    #[error(
        "has {width}x{height} pixels, whose decoding takes {}, more than the limit of {}",
        mebibytes(*.bytes),
        mebibytes(*.limit)
    )]
    TooManyPixels {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Memory for the decoding, in bytes.
        bytes: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The memory for the pixels cannot be allocated.
    #[error("needs {} of memory, which cannot be allocated", mebibytes(*.0))]
    OutOfMemory(u64),
    /// The content violates its format, or uses an unsupported feature of the format.
    #[error("cannot be decoded as {format}: {reason}")]
    Undecodable {
        /// Name of the format, such as `PNG`.
        format: String,
        /// The decoder's message.
        reason: String,
    },
}

impl ImageError {
    /// Returns the kind of the error in a few words, for counts of errors: `unreadable`, `empty`, `not
    /// an image`, `of an unsupported format`, `too large`, `out of memory` or `damaged`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Read(_) => "unreadable",
            Self::Empty => "empty",
            Self::NotAnImage => "not an image",
            Self::UnsupportedFormat(_) => "of an unsupported format",
            Self::FileTooLarge | Self::TooManyPixels { .. } => "too large",
            Self::OutOfMemory(_) => "out of memory",
            Self::Undecodable { .. } => "damaged",
        }
    }
}

/// Returns a number of bytes in MiB, rounded up.
fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

/// Why an image file cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("{} {reason}", path.display())]
pub struct OpenError {
    /// Path of the file.
    pub path: PathBuf,
    /// Why the file cannot be decoded.
    pub reason: ImageError,
}
