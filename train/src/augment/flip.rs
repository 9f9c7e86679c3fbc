//! Horizontal flip.

use rand::RngExt;
use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

use super::limits::check_probability;
use crate::image::Image;
use crate::random::Random;

/// Mirrors an image horizontally with a given probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flip {
    /// Probability of a flip, from 0 to 1; default 0.5.
    #[serde(default = "default_probability")]
    pub probability: f64,
}

fn default_probability() -> f64 {
    0.5
}

impl Flip {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        check_probability("probability", self.probability)
    }

    pub(super) fn apply(&self, mut image: Image, random: &mut Random) -> Image {
        if !random.random_bool(self.probability) {
            return image;
        }
        let channels = image.channels;
        for row in image.samples.chunks_exact_mut(image.width * channels) {
            row.reverse();
            // Reversing the row also reversed the channels of each pixel.
            row.chunks_exact_mut(channels).for_each(<[u8]>::reverse);
        }
        image
    }
}
