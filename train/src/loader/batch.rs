//! Images that pass through the network together.

use burn::tensor::{Device, Tensor, TensorData};

/// Images with their classes, as the network takes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Normalised samples `[images, channels, height, width]`.
    pub images: Vec<f32>,
    /// The extents of `images`.
    pub shape: [usize; 4],
    /// What each image is in parts that add up to 1, `[images, classes]`.
    pub targets: Vec<f32>,
    /// The class of each image before any mixing.
    pub labels: Vec<usize>,
    /// What was wrong with each image that was left out.
    pub skipped: Vec<String>,
}

impl Batch {
    /// How many images there are.
    pub fn len(&self) -> usize {
        self.shape[0]
    }

    /// Whether every image was left out.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many classes the targets tell apart; the batch is not empty.
    pub fn classes(&self) -> usize {
        self.targets.len() / self.len()
    }

    /// The images from `first` to before `end` on `device`, `[images, channels, height, width]`.
    pub fn images(&self, first: usize, end: usize, device: &Device) -> Tensor<4> {
        let [_, channels, height, width] = self.shape;
        let length = channels * height * width;
        let values = self.images[first * length..end * length].to_vec();
        let data = TensorData::new(values, [end - first, channels, height, width]);
        Tensor::from_data(data, device)
    }

    /// Their targets on `device`, `[images, classes]`.
    pub fn targets(&self, first: usize, end: usize, device: &Device) -> Tensor<2> {
        let classes = self.classes();
        let values = self.targets[first * classes..end * classes].to_vec();
        Tensor::from_data(TensorData::new(values, [end - first, classes]), device)
    }
}
