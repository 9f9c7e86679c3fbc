//! The dataset interface.

use sha2::Sha256;

use super::error::DataError;
use crate::image::Image;

/// Labelled images in a fixed order.
pub trait Dataset: Send + Sync {
    /// Returns the number of images.
    fn len(&self) -> usize;

    /// Whether the dataset has no images.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the class of the image at `index`, which is below [`len`](Self::len).
    fn label(&self, index: usize) -> usize;

    /// Adds to `digest` what identifies the image at `index`, which is below [`len`](Self::len): its
    /// samples, or the name and the size of its file.
    ///
    /// # Errors
    ///
    /// [`DataError::Read`] when the file does not exist.
    fn identify(&self, index: usize, digest: &mut Sha256) -> Result<(), DataError>;

    /// Returns the image at `index`, which is below [`len`](Self::len).
    ///
    /// # Errors
    ///
    /// [`DataError::Image`] when the image cannot be read.
    fn image(&self, index: usize) -> Result<Image, DataError>;
}
