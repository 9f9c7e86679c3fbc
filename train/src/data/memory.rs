//! Dataset in memory.

use sha2::{Digest, Sha256};

use super::dataset::Dataset;
use super::error::DataError;
use crate::image::Image;

/// Dataset of images of one size, in memory.
#[derive(Debug, Clone)]
pub struct InMemoryDataset {
    width: usize,
    height: usize,
    channels: usize,
    samples: Vec<u8>,
    labels: Vec<usize>,
}

impl InMemoryDataset {
    /// Returns the dataset of `samples`, `[images, height, width, channels]`, with one label per
    /// image. `shape` is `[height, width, channels]`.
    ///
    /// # Panics
    ///
    /// Panics if the number of samples is not `labels.len() * height * width * channels`.
    pub fn new(shape: [usize; 3], samples: Vec<u8>, labels: Vec<usize>) -> Self {
        let [height, width, channels] = shape;
        assert_eq!(
            samples.len(),
            labels.len() * height * width * channels,
            "an image of {shape:?} for each label"
        );
        Self {
            width,
            height,
            channels,
            samples,
            labels,
        }
    }

    /// Returns the samples of the image at `index`.
    fn samples_of(&self, index: usize) -> &[u8] {
        let length = self.height * self.width * self.channels;
        &self.samples[index * length..(index + 1) * length]
    }
}

impl Dataset for InMemoryDataset {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn label(&self, index: usize) -> usize {
        self.labels[index]
    }

    fn identify(&self, index: usize, digest: &mut Sha256) -> Result<(), DataError> {
        digest.update(self.samples_of(index));
        Ok(())
    }

    fn image(&self, index: usize) -> Result<Image, DataError> {
        Ok(Image {
            width: self.width,
            height: self.height,
            channels: self.channels,
            samples: self.samples_of(index).to_owned(),
        })
    }
}
