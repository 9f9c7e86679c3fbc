//! From a picture to the network's input.

use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

use crate::augment::Transform;
use crate::data::DataError;
use crate::picture::Picture;
use crate::random::Random;

/// Subtracts a mean from the samples in `[0, 1]`, then divides by a deviation: a number for each
/// channel, or one for all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalisation {
    /// What is subtracted.
    pub mean: Vec<f32>,
    /// What divides, above 0.
    pub std: Vec<f32>,
}

impl Normalisation {
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

    /// `[channels, height, width]` from the picture's samples.
    fn apply(&self, picture: &Picture) -> Vec<f32> {
        let Picture {
            channels, samples, ..
        } = picture;
        let mut planes = Vec::with_capacity(samples.len());
        for channel in 0..*channels {
            let mean = self.mean[channel % self.mean.len()];
            let std = self.std[channel % self.std.len()];
            let plane = samples.iter().skip(channel).step_by(*channels);
            planes.extend(plane.map(|&sample| (f32::from(sample) / 255.0 - mean) / std));
        }
        planes
    }
}

/// What becomes of each image.
#[derive(Debug, Clone)]
pub struct Preparation {
    /// Steps in their order.
    pub transforms: Vec<Transform>,
    /// What follows them.
    pub normalisation: Normalisation,
    /// What must come of it: channels, height, width.
    pub shape: [usize; 3],
    /// Classes of the network.
    pub classes: usize,
    /// The part of each target that is spread evenly over all classes.
    pub smoothing: f32,
}

/// An image as the network takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// `[channels, height, width]`.
    pub samples: Vec<f32>,
    /// What it is, `[classes]`, in parts that add up to 1.
    pub target: Vec<f32>,
}

impl Preparation {
    /// The image and its target, with numbers drawn from `random`.
    ///
    /// # Errors
    ///
    /// [`DataError::Size`] when the transforms leave it at another size than the network takes.
    pub fn apply(
        &self,
        picture: Picture,
        label: usize,
        index: usize,
        random: &mut Random,
    ) -> Result<Prepared, DataError> {
        let [channels, height, width] = self.shape;
        let mut picture = picture.with_channels(channels);
        for transform in &self.transforms {
            picture = transform.apply(picture, random);
        }
        if (picture.height, picture.width) != (height, width) {
            return Err(DataError::Size {
                index,
                found: [picture.height, picture.width],
                expected: [height, width],
            });
        }
        let spread = self.smoothing / self.classes as f32;
        let mut target = vec![spread; self.classes];
        target[label] += 1.0 - self.smoothing;
        Ok(Prepared {
            samples: self.normalisation.apply(&picture),
            target,
        })
    }
}
