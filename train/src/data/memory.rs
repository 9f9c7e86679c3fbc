//! Images of one size, held in memory.

use super::{DataError, Dataset};
use crate::picture::Picture;

/// Images of one size with their labels.
#[derive(Debug, Clone)]
pub struct Memory {
    width: usize,
    height: usize,
    channels: usize,
    samples: Vec<u8>,
    labels: Vec<usize>,
}

impl Memory {
    /// Images `[images, height, width, channels]` as `samples`, with a label for each.
    ///
    /// # Panics
    ///
    /// Where the samples are not those of so many images.
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
}

impl Dataset for Memory {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn label(&self, index: usize) -> usize {
        self.labels[index]
    }

    fn picture(&self, index: usize) -> Result<Picture, DataError> {
        let length = self.height * self.width * self.channels;
        Ok(Picture {
            width: self.width,
            height: self.height,
            channels: self.channels,
            samples: self.samples[index * length..(index + 1) * length].to_owned(),
        })
    }
}
