//! Crops and padding.

use rand::RngExt;
use receptive_layers::image::centre_crop_start;
use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

use super::limits::check_pixels;
use crate::image::Image;
use crate::random::Random;

/// Crops a square from the centre of the image, as torchvision does. A smaller image is padded with
/// black.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CenterCrop {
    /// Height and width of the crop, in pixels, from 1 to 8192.
    pub size: usize,
}

impl CenterCrop {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        check_pixels("size", self.size, 1)
    }

    pub(super) fn apply(&self, image: &Image) -> Image {
        let start = |length: usize| centre_crop_start(length as u64, self.size as u64) as isize;
        let (left, top) = (start(image.width), start(image.height));
        image.crop(left, top, self.size, self.size)
    }
}

/// Pads the image with black on all sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pad {
    /// Padding on each side, in pixels, from 0 to 8192.
    pub pixels: usize,
}

impl Pad {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        check_pixels("pixels", self.pixels, 0)
    }

    pub(super) fn apply(&self, image: &Image) -> Image {
        let padding = self.pixels as isize;
        let (width, height) = (
            image.width + 2 * self.pixels,
            image.height + 2 * self.pixels,
        );
        image.crop(-padding, -padding, width, height)
    }
}

/// Crops a square at a random position of the padded image, with a uniform distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomCrop {
    /// Height and width of the crop, in pixels, from 1 to 8192.
    pub size: usize,
    /// Black padding on each side before the crop, in pixels, from 0 to 8192.
    #[serde(default)]
    pub padding: usize,
}

impl RandomCrop {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        check_pixels("size", self.size, 1)?;
        check_pixels("padding", self.padding, 0)
    }

    pub(super) fn apply(&self, image: &Image, random: &mut Random) -> Image {
        let padding = self.padding as isize;
        let mut start = |length: usize| {
            let rest = (length + 2 * self.padding) as i64 - self.size as i64;
            random.random_range(rest.min(0)..=rest.max(0)) as isize - padding
        };
        let (left, top) = (start(image.width), start(image.height));
        image.crop(left, top, self.size, self.size)
    }
}
