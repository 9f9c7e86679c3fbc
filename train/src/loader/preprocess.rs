//! Preprocessing of an image: transforms, normalisation and the target distribution.

use std::array;

use receptive_layers::image::normalize;
use receptive_layers::network::InvalidConfig;
use receptive_layers::preprocessing;
use serde::{Deserialize, Serialize};

use crate::augment::{Transform, apply_all};
use crate::data::DataError;
use crate::image::Image;
use crate::random::Random;

/// Normalises samples in `[0, 1]`: subtracts the mean and divides by the standard deviation. Both
/// have one value per channel, or one value for all channels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalisation {
    /// Mean.
    pub mean: Vec<f32>,
    /// Standard deviation, above 0.
    pub std: Vec<f32>,
}

impl Normalisation {
    /// Checks the values for images with `channels` channels.
    pub(crate) fn validate(&self, channels: usize) -> Result<(), InvalidConfig> {
        for (field, values) in [("mean", &self.mean), ("std", &self.std)] {
            let valid = values.len() == 1 || values.len() == channels;
            let found = format!("{} numbers", values.len());
            let expected = "one number, or one for each channel of the network";
            InvalidConfig::unless(valid, field, found, expected)?;
            let finite = values.iter().all(|value| value.is_finite());
            InvalidConfig::unless(finite, field, format!("{values:?}"), "finite")?;
        }
        let positive = self.std.iter().all(|&std| std > 0.0);
        InvalidConfig::unless(positive, "std", format!("{:?}", self.std), "above 0")
    }

    /// Returns the mean and the standard deviation of the red, green and blue channels.
    pub(crate) fn of_colours(&self) -> [[f32; 3]; 2] {
        [&self.mean, &self.std]
            .map(|values| std::array::from_fn(|channel| values[channel % values.len()]))
    }

    /// Returns the normalised samples, `[channels, height, width]`.
    fn apply(&self, image: &Image) -> Vec<f32> {
        match image.channels {
            1 => self.planes::<1>(&image.samples),
            _ => self.planes::<3>(&image.samples),
        }
    }

    fn planes<const C: usize>(&self, samples: &[u8]) -> Vec<f32> {
        let of_channels = |values: &[f32]| -> [f32; C] {
            array::from_fn(|channel| values[channel % values.len()])
        };
        normalize(samples, of_channels(&self.mean), of_channels(&self.std))
    }
}

/// Preprocessing of the images of a dataset.
#[derive(Debug, Clone)]
pub struct Preprocessing {
    /// Transforms, in order.
    pub transforms: Vec<Transform>,
    /// Normalisation after the transforms.
    pub normalisation: Normalisation,
    /// Input shape of the network: channels, height, width.
    pub shape: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// Label smoothing: the probability mass of each target that is spread evenly over all classes.
    pub smoothing: f32,
}

/// Preprocessed image and its target.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Normalised samples, `[channels, height, width]`.
    pub samples: Vec<f32>,
    /// Target distribution, `[classes]`, which sums to 1.
    pub target: Vec<f32>,
}

impl Preprocessing {
    /// Returns the preprocessing of images for evaluation by `preprocessing`, for a network of
    /// `channels` channels and `classes` classes.
    pub fn evaluation(
        preprocessing: &preprocessing::Preprocessing,
        channels: usize,
        classes: usize,
    ) -> Self {
        let preprocessing::Preprocessing {
            crop, mean, std, ..
        } = *preprocessing;
        Self {
            transforms: Transform::resize_and_crop(preprocessing),
            normalisation: Normalisation {
                mean: mean.into(),
                std: std.into(),
            },
            shape: [channels, crop, crop],
            classes,
            smoothing: 0.0,
        }
    }

    /// Preprocesses the image at `index` of its dataset, with random numbers from `random`.
    ///
    /// # Errors
    ///
    /// [`DataError::Size`] when the size after the transforms is not the network's input size.
    pub fn apply(
        &self,
        image: Image,
        label: usize,
        index: usize,
        random: &mut Random,
    ) -> Result<Sample, DataError> {
        let [channels, height, width] = self.shape;
        let image = apply_all(&self.transforms, image.with_channels(channels), random);
        if (image.height, image.width) != (height, width) {
            return Err(DataError::Size {
                index,
                found: [image.height, image.width],
                expected: [height, width],
            });
        }
        let uniform = self.smoothing / self.classes as f32;
        let mut target = vec![uniform; self.classes];
        target[label] += 1.0 - self.smoothing;
        Ok(Sample {
            samples: self.normalisation.apply(&image),
            target,
        })
    }
}
