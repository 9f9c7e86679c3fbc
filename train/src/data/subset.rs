//! Some of the images of a dataset.

use std::sync::Arc;

use super::{DataError, Dataset};
use crate::picture::Picture;

/// The images of `whole` at `indices`, in that order.
pub struct Subset {
    pub whole: Arc<dyn Dataset>,
    pub indices: Vec<usize>,
}

impl Dataset for Subset {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn label(&self, index: usize) -> usize {
        self.whole.label(self.indices[index])
    }

    fn picture(&self, index: usize) -> Result<Picture, DataError> {
        self.whole.picture(self.indices[index])
    }
}
