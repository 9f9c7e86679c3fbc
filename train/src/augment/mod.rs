//! What happens to images before the network sees them: pure functions of an image and a seed.

mod color;
mod crop;
mod erasing;
mod flip;
mod lighting;
mod mix;
mod resize;
mod rotation;
#[cfg(test)]
mod tests;

use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

pub use color::ColorJitter;
pub use crop::{CenterCrop, Pad, RandomCrop};
pub use erasing::RandomErasing;
pub use flip::Flip;
pub use lighting::Lighting;
pub use mix::Mix;
pub use resize::{RandomResize, RandomResizedCrop, Resize};
pub use rotation::Rotation;

use crate::picture::Picture;
use crate::random::Random;

/// One step between a file and the network's input; a list of them is applied in its order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Transform {
    /// Resizes the shorter side.
    Resize(Resize),
    /// Resizes the shorter side to a length drawn at random.
    RandomResize(RandomResize),
    /// Keeps the centre.
    CenterCrop(CenterCrop),
    /// Puts a border around.
    Pad(Pad),
    /// Keeps a square at a place drawn at random.
    RandomCrop(RandomCrop),
    /// Keeps a rectangle drawn at random, resized to a square.
    RandomResizedCrop(RandomResizedCrop),
    /// Swaps left and right in some images.
    Flip(Flip),
    /// Turns by an angle drawn at random.
    Rotation(Rotation),
    /// Changes brightness, contrast, saturation and hue at random.
    ColorJitter(ColorJitter),
    /// Adds noise along the principal components of ImageNet's colours.
    Lighting(Lighting),
    /// Hides a rectangle of some images behind noise.
    RandomErasing(RandomErasing),
}

impl Transform {
    /// The picture after this step, with numbers drawn from `random`.
    pub fn apply(&self, picture: Picture, random: &mut Random) -> Picture {
        match self {
            Self::Resize(step) => step.apply(&picture),
            Self::RandomResize(step) => step.apply(&picture, random),
            Self::CenterCrop(step) => step.apply(&picture),
            Self::Pad(step) => step.apply(&picture),
            Self::RandomCrop(step) => step.apply(&picture, random),
            Self::RandomResizedCrop(step) => step.apply(&picture, random),
            Self::Flip(step) => step.apply(picture, random),
            Self::Rotation(step) => step.apply(&picture, random),
            Self::ColorJitter(step) => step.apply(picture, random),
            Self::Lighting(step) => step.apply(picture, random),
            Self::RandomErasing(step) => step.apply(picture, random),
        }
    }

    /// Height and width of a crop.
    pub(crate) fn crop_size(&self) -> Option<usize> {
        match self {
            Self::CenterCrop(CenterCrop { size })
            | Self::RandomCrop(RandomCrop { size, .. })
            | Self::RandomResizedCrop(RandomResizedCrop { size, .. }) => Some(*size),
            _ => None,
        }
    }

    /// Changes lengths from pictures of `before` pixels to such of `size`.
    pub(crate) fn rescale(&mut self, size: usize, before: usize) {
        let rescale = |length: &mut usize| *length = (*length * size).div_ceil(before);
        match self {
            Self::Resize(Resize { shorter, .. }) => rescale(shorter),
            Self::RandomResize(RandomResize { shorter, .. }) => {
                shorter.iter_mut().for_each(rescale)
            }
            Self::CenterCrop(CenterCrop { size })
            | Self::RandomCrop(RandomCrop { size, .. })
            | Self::RandomResizedCrop(RandomResizedCrop { size, .. }) => rescale(size),
            _ => {}
        }
    }

    /// Whether every field is in its range.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] names the first field that is not.
    pub fn validate(&self) -> Result<(), InvalidConfig> {
        match self {
            Self::Resize(step) => step.validate(),
            Self::RandomResize(step) => step.validate(),
            Self::CenterCrop(step) => step.validate(),
            Self::Pad(step) => step.validate(),
            Self::RandomCrop(step) => step.validate(),
            Self::RandomResizedCrop(step) => step.validate(),
            Self::Flip(step) => step.validate(),
            Self::Rotation(step) => step.validate(),
            Self::ColorJitter(step) => step.validate(),
            Self::Lighting(step) => step.validate(),
            Self::RandomErasing(step) => step.validate(),
        }
    }
}

/// The longest side, in pixels, that a step may be asked for.
const LONGEST: usize = 8192;

/// An error unless `field`, a length in pixels, is from `least` to 8192.
fn check_pixels(field: &'static str, pixels: usize, least: usize) -> Result<(), InvalidConfig> {
    let valid = (least..=LONGEST).contains(&pixels);
    let expected = if least == 0 {
        "from 0 to 8192 pixels"
    } else {
        "from 1 to 8192 pixels"
    };
    InvalidConfig::unless(valid, field, pixels, expected)
}

/// An error unless `field`, a probability, is from 0 to 1.
fn check_probability(field: &'static str, probability: f64) -> Result<(), InvalidConfig> {
    let valid = (0.0..=1.0).contains(&probability);
    InvalidConfig::unless(valid, field, probability, "from 0 to 1")
}

/// An error unless `field`, a range of positive numbers up to `most`, begins before it ends.
fn check_range(field: &'static str, [low, high]: [f64; 2], most: f64) -> Result<(), InvalidConfig> {
    let valid = low > 0.0 && low <= high && high <= most;
    let expected = if most == 1.0 {
        "two numbers above 0 and up to 1, the smaller first"
    } else {
        "two numbers above 0, the smaller first"
    };
    InvalidConfig::unless(valid, field, format!("{low} to {high}"), expected)
}

/// The sample nearest to `value`.
fn to_sample(value: f32) -> u8 {
    // The cast saturates.
    value.round() as u8
}
