//! Mini-batch of images.

use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};

/// Mini-batch: preprocessed images and their targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Normalised samples, `[images, channels, height, width]`.
    pub images: Vec<f32>,
    /// Shape of `images`.
    pub shape: [usize; 4],
    /// Target distributions, `[images, classes]`; each row sums to 1.
    pub targets: Vec<f32>,
    /// Class of each image, before mixup or CutMix.
    pub labels: Vec<usize>,
    /// Number of images of each part that this process computes, in order; their sum is the number of
    /// images.
    pub parts: Vec<usize>,
    /// Error message of each image that was skipped.
    pub skipped: Vec<String>,
}

impl Batch {
    /// Returns the number of images.
    pub fn len(&self) -> usize {
        self.shape[0]
    }

    /// Whether all images were skipped.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the images of each part, from the first one prepared.
    pub fn part_ranges(&self) -> impl Iterator<Item = Range<usize>> {
        self.parts.iter().scan(0, |end, &images| {
            let start = *end;
            *end += images;
            Some(start..*end)
        })
    }

    /// Returns the number of classes. The mini-batch must not be empty.
    pub fn classes(&self) -> usize {
        self.targets.len() / self.len()
    }

    /// Copies the images `first..end` to `device`, `[images, channels, height, width]`.
    pub fn images(&self, first: usize, end: usize, device: &Device) -> Tensor<4> {
        let [_, channels, height, width] = self.shape;
        let length = channels * height * width;
        let values = self.images[first * length..end * length].to_vec();
        let data = TensorData::new(values, [end - first, channels, height, width]);
        Tensor::from_data(data, device)
    }

    /// Copies the targets of the images `first..end` to `device`, `[images, classes]`.
    pub fn targets(&self, first: usize, end: usize, device: &Device) -> Tensor<2> {
        let classes = self.classes();
        let values = self.targets[first * classes..end * classes].to_vec();
        Tensor::from_data(TensorData::new(values, [end - first, classes]), device)
    }
}
