//! Subset of a dataset.

use std::sync::Arc;

use sha2::Sha256;

use super::dataset::Dataset;
use super::error::DataError;
use crate::image::Image;

/// The images of `dataset` at `indices`, in that order.
pub struct Subset {
    pub dataset: Arc<dyn Dataset>,
    pub indices: Vec<usize>,
}

impl Dataset for Subset {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn label(&self, index: usize) -> usize {
        self.dataset.label(self.indices[index])
    }

    fn identify(&self, index: usize, digest: &mut Sha256) -> Result<(), DataError> {
        self.dataset.identify(self.indices[index], digest)
    }

    fn image(&self, index: usize) -> Result<Image, DataError> {
        self.dataset.image(self.indices[index])
    }
}
