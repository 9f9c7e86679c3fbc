//! An image to process.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use receptive_layers::image::{self, ImageError, RgbImage};

/// An image to process.
pub struct Input {
    /// Path of the file. For an image in an archive, the path of the archive and the path in it.
    pub path: String,
    /// The image's content.
    pub content: Content,
}

/// Content of an image.
pub enum Content {
    /// A file.
    File(PathBuf),
    /// The bytes of an image in an archive.
    Bytes(Vec<u8>),
    /// The image is in an archive and its bytes were skipped.
    Skipped,
    /// The image cannot be read, for this reason.
    Failed(ImageError),
}

impl Input {
    /// Decodes the image; with `shorter`, a JPEG file at a part of its size, of which the shorter side has
    /// at least `shorter` pixels.
    ///
    /// # Errors
    ///
    /// [`ImageError`] if the image cannot be read or decoded.
    pub fn decode(self, shorter: Option<usize>) -> Result<RgbImage, ImageError> {
        match (self.content, shorter) {
            (Content::File(path), None) => image::open(path).map_err(|error| error.reason),
            (Content::File(path), Some(shorter)) => {
                image::open_reduced(path, shorter).map_err(|error| error.reason)
            }
            (Content::Bytes(bytes), None) => image::decode(&bytes),
            (Content::Bytes(bytes), Some(shorter)) => image::decode_reduced(&bytes, shorter),
            (Content::Skipped, _) => Err(ImageError::Empty),
            (Content::Failed(error), _) => Err(error),
        }
    }
}

/// Number of images whose content is not read.
#[derive(Clone)]
pub struct Unread(Arc<AtomicU64>);

impl Unread {
    /// Counts `count` images.
    pub fn new(count: u64) -> Self {
        Self(Arc::new(AtomicU64::new(count)))
    }

    /// Counts the next image, and returns whether its content is not read.
    pub fn next(&self) -> bool {
        let decremented = |count: u64| count.checked_sub(1);
        let (order, count) = (Ordering::Relaxed, &self.0);
        count.fetch_update(order, order, decremented).is_ok()
    }
}
