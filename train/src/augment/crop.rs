//! Crops and borders that keep every pixel's size.

use rand::RngExt;
use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

use super::check_pixels;
use crate::picture::Picture;
use crate::random::Random;

/// Keeps the centre; where the picture is smaller it gets a black border.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CenterCrop {
    /// Height and width, in pixels, from 1 to 8192.
    pub size: usize,
}

impl CenterCrop {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        check_pixels("size", self.size, 1)
    }

    pub(super) fn apply(&self, picture: &Picture) -> Picture {
        let start = |length: usize| (length as isize - self.size as isize).div_euclid(2);
        let (left, top) = (start(picture.width), start(picture.height));
        picture.window(left, top, self.size, self.size)
    }
}

/// Puts a black border around.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pad {
    /// The border's width on each side, in pixels, from 0 to 8192.
    pub pixels: usize,
}

impl Pad {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        check_pixels("pixels", self.pixels, 0)
    }

    pub(super) fn apply(&self, picture: &Picture) -> Picture {
        let border = self.pixels as isize;
        let (width, height) = (
            picture.width + 2 * self.pixels,
            picture.height + 2 * self.pixels,
        );
        picture.window(-border, -border, width, height)
    }
}

/// Keeps a square whose place is drawn evenly from all there are in the picture with its border.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomCrop {
    /// Height and width, in pixels, from 1 to 8192.
    pub size: usize,
    /// The width of the black border that the picture gets first, in pixels, from 0 to 8192.
    #[serde(default)]
    pub padding: usize,
}

impl RandomCrop {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        check_pixels("size", self.size, 1)?;
        check_pixels("padding", self.padding, 0)
    }

    pub(super) fn apply(&self, picture: &Picture, random: &mut Random) -> Picture {
        let padding = self.padding as isize;
        let mut start = |length: usize| {
            let rest = (length + 2 * self.padding) as i64 - self.size as i64;
            random.random_range(rest.min(0)..=rest.max(0)) as isize - padding
        };
        let (left, top) = (start(picture.width), start(picture.height));
        picture.window(left, top, self.size, self.size)
    }
}
