//! A rectangle hidden.

use rand::{Rng, RngExt};
use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

use super::{LONGEST, check_probability, check_range};
use crate::picture::Picture;
use crate::random::Random;

/// Hides a rectangle of some images behind noise (Zhong et al. 2017, Random Erasing Data
/// Augmentation, algorithm 1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomErasing {
    /// The part of the images that lose a rectangle, from 0 to 1.
    #[serde(default = "half")]
    pub probability: f64,
    /// The least and the most of the image's area, above 0 and up to 1.
    #[serde(default = "area")]
    pub area: [f64; 2],
    /// The least and the most that height over width may be.
    #[serde(default = "ratio")]
    pub ratio: [f64; 2],
}

fn half() -> f64 {
    0.5
}

fn area() -> [f64; 2] {
    [0.02, 0.4]
}

fn ratio() -> [f64; 2] {
    [0.3, 1.0 / 0.3]
}

/// Rectangles that are drawn before the image is left whole.
const TRIES: usize = 10;

impl RandomErasing {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        check_probability("probability", self.probability)?;
        check_range("area", self.area, 1.0)?;
        check_range("ratio", self.ratio, LONGEST as f64)
    }

    pub(super) fn apply(&self, mut picture: Picture, random: &mut Random) -> Picture {
        if !random.random_bool(self.probability) {
            return picture;
        }
        let (width, height) = (picture.width, picture.height);
        for _ in 0..TRIES {
            let part = random.random_range(self.area[0]..=self.area[1]);
            let area = part * (width * height) as f64;
            let ratio = random.random_range(self.ratio[0]..=self.ratio[1]);
            let hidden_height = (area * ratio).sqrt().round() as usize;
            let hidden_width = (area / ratio).sqrt().round() as usize;
            if !(1..=width).contains(&hidden_width) || !(1..=height).contains(&hidden_height) {
                continue;
            }
            let left = random.random_range(0..=width - hidden_width);
            let top = random.random_range(0..=height - hidden_height);
            for row in top..top + hidden_height {
                let start = (row * width + left) * picture.channels;
                let length = hidden_width * picture.channels;
                random.fill_bytes(&mut picture.samples[start..start + length]);
            }
            break;
        }
        picture
    }
}
