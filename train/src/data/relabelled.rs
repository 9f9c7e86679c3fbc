//! Dataset with other class indices.

use std::sync::Arc;

use sha2::Sha256;

use super::dataset::Dataset;
use super::error::DataError;
use crate::image::Image;

/// The images of a dataset, with the classes of another list of classes.
pub struct Relabelled {
    dataset: Arc<dyn Dataset>,
    classes: Vec<usize>,
}

impl Relabelled {
    /// Returns the images of `dataset`, in which class `i` becomes class `classes[i]`.
    pub fn new(dataset: Arc<dyn Dataset>, classes: Vec<usize>) -> Self {
        Self { dataset, classes }
    }
}

impl Dataset for Relabelled {
    fn len(&self) -> usize {
        self.dataset.len()
    }

    fn label(&self, index: usize) -> usize {
        self.classes[self.dataset.label(index)]
    }

    fn identify(&self, index: usize, digest: &mut Sha256) -> Result<(), DataError> {
        self.dataset.identify(index, digest)
    }

    fn image(&self, index: usize) -> Result<Image, DataError> {
        self.dataset.image(index)
    }
}
