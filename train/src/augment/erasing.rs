//! Random erasing.

use rand::{Rng, RngExt};
use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

use super::limits::{MAX_SIDE, check_probability, check_range};
use crate::image::Image;
use crate::random::Random;

/// Replaces a random rectangle of an image with noise (Zhong et al. 2017, Random Erasing Data
/// Augmentation, algorithm 1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomErasing {
    /// Probability that a rectangle of the image is erased, from 0 to 1; default 0.5.
    #[serde(default = "default_probability")]
    pub probability: f64,
    /// Smallest and largest area of the rectangle as a fraction of the image area, above 0 and up
    /// to 1; default 0.02 to 0.4.
    #[serde(default = "default_area")]
    pub area: [f64; 2],
    /// Smallest and largest aspect ratio (height / width) of the rectangle; default 0.3 to 1 / 0.3.
    #[serde(default = "default_ratio")]
    pub ratio: [f64; 2],
}

fn default_probability() -> f64 {
    0.5
}

fn default_area() -> [f64; 2] {
    [0.02, 0.4]
}

fn default_ratio() -> [f64; 2] {
    [0.3, 1.0 / 0.3]
}

/// Number of rectangles that are drawn before the image is left unchanged. A rectangle that does
/// not fit into the image is drawn again.
const MAX_ATTEMPTS: usize = 10;

impl RandomErasing {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        check_probability("probability", self.probability)?;
        check_range("area", self.area, 1.0)?;
        check_range("ratio", self.ratio, MAX_SIDE as f64)
    }

    pub(super) fn apply(&self, mut image: Image, random: &mut Random) -> Image {
        if !random.random_bool(self.probability) {
            return image;
        }
        let (width, height) = (image.width, image.height);
        for _ in 0..MAX_ATTEMPTS {
            let fraction = random.random_range(self.area[0]..=self.area[1]);
            let area = fraction * (width * height) as f64;
            let ratio = random.random_range(self.ratio[0]..=self.ratio[1]);
            let erased_height = (area * ratio).sqrt().round() as usize;
            let erased_width = (area / ratio).sqrt().round() as usize;
            if !(1..=width).contains(&erased_width) || !(1..=height).contains(&erased_height) {
                continue;
            }
            let left = random.random_range(0..=width - erased_width);
            let top = random.random_range(0..=height - erased_height);
            for row in top..top + erased_height {
                let start = (row * width + left) * image.channels;
                let length = erased_width * image.channels;
                random.fill_bytes(&mut image.samples[start..start + length]);
            }
            break;
        }
        image
    }
}
