//! Left and right swapped.

use rand::RngExt;
use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

use super::check_probability;
use crate::picture::Picture;
use crate::random::Random;

/// Swaps left and right in some images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flip {
    /// The part of the images that is swapped, from 0 to 1.
    #[serde(default = "half")]
    pub probability: f64,
}

fn half() -> f64 {
    0.5
}

impl Flip {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        check_probability("probability", self.probability)
    }

    pub(super) fn apply(&self, mut picture: Picture, random: &mut Random) -> Picture {
        if !random.random_bool(self.probability) {
            return picture;
        }
        let channels = picture.channels;
        for row in picture.samples.chunks_exact_mut(picture.width * channels) {
            row.reverse();
            // The channels of each pixel were reversed with the row.
            row.chunks_exact_mut(channels).for_each(<[u8]>::reverse);
        }
        picture
    }
}
