//! Steps that change the size of pixels.

use rand::RngExt;
use receptive_layers::network::InvalidConfig;
use receptive_layers::preprocessing::Interpolation;
use serde::{Deserialize, Serialize};

use super::{LONGEST, check_pixels, check_range};
use crate::picture::Picture;
use crate::random::Random;

/// Resizes the shorter side; the longer one keeps the ratio, rounded down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resize {
    /// The shorter side, in pixels, from 1 to 8192.
    pub shorter: usize,
    /// The filter.
    #[serde(default = "bilinear")]
    pub interpolation: Interpolation,
}

fn bilinear() -> Interpolation {
    Interpolation::Bilinear
}

impl Resize {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        check_pixels("shorter", self.shorter, 1)
    }

    pub(super) fn apply(&self, picture: &Picture) -> Picture {
        with_shorter_side(picture, self.shorter, self.interpolation)
    }
}

/// Resizes the shorter side to a length drawn evenly (VGG's scale jittering).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomResize {
    /// The least and the most that the shorter side may be, in pixels, from 1 to 8192.
    pub shorter: [usize; 2],
    /// The filter.
    #[serde(default = "bilinear")]
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

    pub(super) fn apply(&self, picture: &Picture, random: &mut Random) -> Picture {
        let shorter = random.random_range(self.shorter[0]..=self.shorter[1]);
        with_shorter_side(picture, shorter, self.interpolation)
    }
}

/// A picture of extreme ratio is cut to sixteen times its shorter side first: its resize would not
/// fit in memory.
fn with_shorter_side(picture: &Picture, shorter: usize, interpolation: Interpolation) -> Picture {
    let (width, height) = (picture.width, picture.height);
    let short = width.min(height);
    let most = short * 16;
    if width.max(height) > most {
        let (kept_width, kept_height) = (width.min(most), height.min(most));
        let (left, top) = ((width - kept_width) / 2, (height - kept_height) / 2);
        let middle = picture.window(left as isize, top as isize, kept_width, kept_height);
        return with_shorter_side(&middle, shorter, interpolation);
    }
    let other = |length: usize| (shorter as f64 * length as f64 / short as f64) as usize;
    let (to_width, to_height) = if width <= height {
        (shorter, other(height))
    } else {
        (other(width), shorter)
    };
    if (to_width, to_height) == (width, height) {
        return picture.clone();
    }
    picture.resized(to_width, to_height, interpolation)
}

/// Keeps a rectangle whose area and ratio of sides are drawn at random, resized to a square
/// (GoogLeNet's section 6; torchvision's `RandomResizedCrop`).
///
/// The area is drawn evenly, the ratio's logarithm too. Where ten rectangles in a row leave the
/// picture, it is the largest one at the centre whose ratio is allowed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomResizedCrop {
    /// Height and width of the result, in pixels, from 1 to 8192.
    pub size: usize,
    /// The least and the most of the picture's area, above 0 and up to 1.
    #[serde(default = "area")]
    pub area: [f64; 2],
    /// The least and the most that width over height may be.
    #[serde(default = "ratio")]
    pub ratio: [f64; 2],
    /// The filter.
    #[serde(default = "bilinear")]
    pub interpolation: Interpolation,
}

fn area() -> [f64; 2] {
    [0.08, 1.0]
}

fn ratio() -> [f64; 2] {
    [3.0 / 4.0, 4.0 / 3.0]
}

/// Rectangles that are drawn before the centre is taken.
const TRIES: usize = 10;

impl RandomResizedCrop {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        check_pixels("size", self.size, 1)?;
        check_range("area", self.area, 1.0)?;
        check_range("ratio", self.ratio, LONGEST as f64)
    }

    pub(super) fn apply(&self, picture: &Picture, random: &mut Random) -> Picture {
        let [left, top, width, height] = self.rectangle(picture, random);
        picture
            .window(left as isize, top as isize, width, height)
            .resized(self.size, self.size, self.interpolation)
    }

    /// Left, top, width, height.
    fn rectangle(&self, picture: &Picture, random: &mut Random) -> [usize; 4] {
        let (width, height) = (picture.width, picture.height);
        let ratios = self.ratio.map(f64::ln);
        for _ in 0..TRIES {
            let part = random.random_range(self.area[0]..=self.area[1]);
            let area = part * (width * height) as f64;
            let ratio = random.random_range(ratios[0]..=ratios[1]).exp();
            let cut =
                [(area * ratio).sqrt(), (area / ratio).sqrt()].map(|side| side.round() as usize);
            if (1..=width).contains(&cut[0]) && (1..=height).contains(&cut[1]) {
                let left = random.random_range(0..=width - cut[0]);
                let top = random.random_range(0..=height - cut[1]);
                return [left, top, cut[0], cut[1]];
            }
        }
        let whole = width as f64 / height as f64;
        let ratio = whole.clamp(self.ratio[0], self.ratio[1]);
        let at_least_one = |side: f64| (side.round() as usize).max(1);
        let (cut_width, cut_height) = if whole < ratio {
            (width, at_least_one(width as f64 / ratio).min(height))
        } else {
            (at_least_one(height as f64 * ratio).min(width), height)
        };
        let (left, top) = ((width - cut_width) / 2, (height - cut_height) / 2);
        [left, top, cut_width, cut_height]
    }
}
