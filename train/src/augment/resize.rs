//! Transforms that resample the image.

use rand::RngExt;
use receptive_layers::image::{centre_crop_start, resized_size};
use receptive_layers::network::InvalidConfig;
use receptive_layers::preprocessing::Interpolation;
use serde::{Deserialize, Serialize};

use super::limits::{MAX_SIDE, check_pixels, check_range};
use crate::image::Image;
use crate::random::Random;

/// Resizes the shorter side to a fixed length. The aspect ratio is kept; the longer side is rounded
/// down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resize {
    /// Length of the shorter side, in pixels, from 1 to 8192.
    pub shorter: usize,
    /// Resampling filter; default bilinear.
    #[serde(default = "default_interpolation")]
    pub interpolation: Interpolation,
}

fn default_interpolation() -> Interpolation {
    Interpolation::Bilinear
}

impl Resize {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        check_pixels("shorter", self.shorter, 1)
    }

    pub(super) fn apply(&self, image: &Image) -> Image {
        resize_shorter_side(image, self.shorter, self.interpolation)
    }
}

/// Resizes the shorter side to a random length with a uniform distribution (VGG's scale jittering).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomResize {
    /// Smallest and largest length of the shorter side, in pixels, from 1 to 8192.
    pub shorter: [usize; 2],
    /// Resampling filter; default bilinear.
    #[serde(default = "default_interpolation")]
    pub interpolation: Interpolation,
}

impl RandomResize {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        let [least, most] = self.shorter;
        check_pixels("shorter", least, 1)?;
        check_pixels("shorter", most, 1)?;
        let found = format!("{least} to {most}");
        InvalidConfig::unless(least <= most, "shorter", found, "the smaller length first")
    }

    pub(super) fn apply(&self, image: &Image, random: &mut Random) -> Image {
        let shorter = random.random_range(self.shorter[0]..=self.shorter[1]);
        resize_shorter_side(image, shorter, self.interpolation)
    }
}

/// Resizes the shorter side to `shorter` pixels.
///
/// An image whose longer side is more than sixteen times the shorter one is first cropped to that
/// ratio: its resized copy would not fit in memory.
fn resize_shorter_side(image: &Image, shorter: usize, interpolation: Interpolation) -> Image {
    let (width, height) = (image.width, image.height);
    let longest = width.min(height) * 16;
    if width.max(height) > longest {
        let (kept_width, kept_height) = (width.min(longest), height.min(longest));
        let start = |length: usize, kept| centre_crop_start(length as u64, kept as u64) as isize;
        let (left, top) = (start(width, kept_width), start(height, kept_height));
        let centre = image.crop(left, top, kept_width, kept_height);
        return resize_shorter_side(&centre, shorter, interpolation);
    }
    let (to_width, to_height) = resized_size(width, height, shorter);
    let (to_width, to_height) = (to_width as usize, to_height as usize);
    if (to_width, to_height) == (width, height) {
        return image.clone();
    }
    image.resized(to_width, to_height, interpolation)
}

/// Crops a rectangle of random area and aspect ratio and resizes it to a square (Szegedy et al.
/// 2014, section 6; torchvision's `RandomResizedCrop`).
///
/// The area and the logarithm of the aspect ratio have uniform distributions. If ten rectangles in
/// a row do not fit into the image, the crop is the largest centred rectangle with a valid aspect
/// ratio.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomResizedCrop {
    /// Height and width of the output, in pixels, from 1 to 8192.
    pub size: usize,
    /// Smallest and largest area of the rectangle as a fraction of the image area, above 0 and up
    /// to 1; default 0.08 to 1.
    #[serde(default = "default_area")]
    pub area: [f64; 2],
    /// Smallest and largest aspect ratio (width / height) of the rectangle; default 3/4 to 4/3.
    #[serde(default = "default_ratio")]
    pub ratio: [f64; 2],
    /// Resampling filter; default bilinear.
    #[serde(default = "default_interpolation")]
    pub interpolation: Interpolation,
}

fn default_area() -> [f64; 2] {
    [0.08, 1.0]
}

fn default_ratio() -> [f64; 2] {
    [3.0 / 4.0, 4.0 / 3.0]
}

/// Number of rectangles that are drawn before the crop falls back to the centre.
const MAX_ATTEMPTS: usize = 10;

impl RandomResizedCrop {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        check_pixels("size", self.size, 1)?;
        check_range("area", self.area, 1.0)?;
        check_range("ratio", self.ratio, MAX_SIDE as f64)
    }

    pub(super) fn apply(&self, image: &Image, random: &mut Random) -> Image {
        let [left, top, width, height] = self.rectangle(image, random);
        image
            .crop(left as isize, top as isize, width, height)
            .resized(self.size, self.size, self.interpolation)
    }

    /// Returns left, top, width and height of a random rectangle.
    fn rectangle(&self, image: &Image, random: &mut Random) -> [usize; 4] {
        let (width, height) = (image.width, image.height);
        let ratios = self.ratio.map(f64::ln);
        for _ in 0..MAX_ATTEMPTS {
            let fraction = random.random_range(self.area[0]..=self.area[1]);
            let area = fraction * (width * height) as f64;
            let ratio = random.random_range(ratios[0]..=ratios[1]).exp();
            let cut =
                [(area * ratio).sqrt(), (area / ratio).sqrt()].map(|side| side.round() as usize);
            if (1..=width).contains(&cut[0]) && (1..=height).contains(&cut[1]) {
                let left = random.random_range(0..=width - cut[0]);
                let top = random.random_range(0..=height - cut[1]);
                return [left, top, cut[0], cut[1]];
            }
        }
        let image_ratio = width as f64 / height as f64;
        let ratio = image_ratio.clamp(self.ratio[0], self.ratio[1]);
        let at_least_one = |side: f64| (side.round() as usize).max(1);
        let (cut_width, cut_height) = if image_ratio < ratio {
            (width, at_least_one(width as f64 / ratio).min(height))
        } else {
            (at_least_one(height as f64 * ratio).min(width), height)
        };
        let (left, top) = ((width - cut_width) / 2, (height - cut_height) / 2);
        [left, top, cut_width, cut_height]
    }
}
