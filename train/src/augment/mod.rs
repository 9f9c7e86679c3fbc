//! Data augmentation and preprocessing transforms: pure functions of an image and a seed.

mod color;
mod crop;
mod erasing;
mod flip;
mod lighting;
mod limits;
mod mix;
mod resize;
mod rotation;
#[cfg(test)]
mod tests;

use receptive_layers::network::InvalidConfig;
use receptive_layers::preprocessing::Preprocessing;
use serde::{Deserialize, Serialize};

pub use color::ColorJitter;
pub use crop::{CenterCrop, Pad, RandomCrop};
pub use erasing::RandomErasing;
pub use flip::Flip;
pub use lighting::Lighting;
pub use mix::Mix;
pub use resize::{RandomResize, RandomResizedCrop, Resize};
pub use rotation::Rotation;

use crate::image::Image;
use crate::random::Random;

/// One transform of an image. A recipe applies its list of transforms in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Transform {
    /// Resizes the shorter side to a fixed length.
    Resize(Resize),
    /// Resizes the shorter side to a random length.
    RandomResize(RandomResize),
    /// Crops a square from the centre.
    CenterCrop(CenterCrop),
    /// Pads the image with black.
    Pad(Pad),
    /// Crops a square at a random position.
    RandomCrop(RandomCrop),
    /// Crops a random rectangle and resizes it to a square.
    RandomResizedCrop(RandomResizedCrop),
    /// Mirrors some images horizontally.
    Flip(Flip),
    /// Rotates the image by a random angle.
    Rotation(Rotation),
    /// Changes brightness, contrast, saturation and hue randomly.
    ColorJitter(ColorJitter),
    /// Adds a random combination of the principal components of ImageNet's RGB values.
    Lighting(Lighting),
    /// Replaces a rectangle of some images with noise.
    RandomErasing(RandomErasing),
}

/// Applies transforms in order, with random numbers from `random`.
///
/// A resize followed by a centre crop is computed in one step, by the function that prepares images for
/// classification: only the pixels inside the crop are computed.
pub fn apply_all(transforms: &[Transform], mut image: Image, random: &mut Random) -> Image {
    let mut rest = transforms;
    while let Some((first, others)) = rest.split_first() {
        (image, rest) = match (first, others) {
            (Transform::Resize(resize), [Transform::CenterCrop(crop), others @ ..]) => {
                let Resize {
                    shorter,
                    interpolation,
                } = *resize;
                (
                    image.resized_and_cropped(shorter, crop.size, interpolation),
                    others,
                )
            }
            _ => (first.apply(image, random), others),
        };
    }
    image
}

impl Transform {
    /// Returns the resize and the centre crop of `preprocessing`.
    pub(crate) fn resize_and_crop(preprocessing: &Preprocessing) -> Vec<Self> {
        vec![
            Self::Resize(Resize {
                shorter: preprocessing.resize,
                interpolation: preprocessing.interpolation,
            }),
            Self::CenterCrop(CenterCrop {
                size: preprocessing.crop,
            }),
        ]
    }

    /// Applies the transform, with random numbers from `random`.
    pub fn apply(&self, image: Image, random: &mut Random) -> Image {
        match self {
            Self::Resize(transform) => transform.apply(&image),
            Self::RandomResize(transform) => transform.apply(&image, random),
            Self::CenterCrop(transform) => transform.apply(&image),
            Self::Pad(transform) => transform.apply(&image),
            Self::RandomCrop(transform) => transform.apply(&image, random),
            Self::RandomResizedCrop(transform) => transform.apply(&image, random),
            Self::Flip(transform) => transform.apply(image, random),
            Self::Rotation(transform) => transform.apply(&image, random),
            Self::ColorJitter(transform) => transform.apply(image, random),
            Self::Lighting(transform) => transform.apply(image, random),
            Self::RandomErasing(transform) => transform.apply(image, random),
        }
    }

    /// Height and width of the output, if the transform is a crop.
    pub(crate) fn crop_size(&self) -> Option<usize> {
        match self {
            Self::CenterCrop(CenterCrop { size })
            | Self::RandomCrop(RandomCrop { size, .. })
            | Self::RandomResizedCrop(RandomResizedCrop { size, .. }) => Some(*size),
            _ => None,
        }
    }

    /// Multiplies the lengths of resizes and crops by `size / old_size`, rounded up.
    pub(crate) fn rescale(&mut self, size: usize, old_size: usize) {
        let rescale = |length: &mut usize| *length = (*length * size).div_ceil(old_size);
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

    /// Checks that every field is in its range.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] names the first field that is out of range.
    pub fn validate(&self) -> Result<(), InvalidConfig> {
        match self {
            Self::Resize(transform) => transform.validate(),
            Self::RandomResize(transform) => transform.validate(),
            Self::CenterCrop(transform) => transform.validate(),
            Self::Pad(transform) => transform.validate(),
            Self::RandomCrop(transform) => transform.validate(),
            Self::RandomResizedCrop(transform) => transform.validate(),
            Self::Flip(transform) => transform.validate(),
            Self::Rotation(transform) => transform.validate(),
            Self::ColorJitter(transform) => transform.validate(),
            Self::Lighting(transform) => transform.validate(),
            Self::RandomErasing(transform) => transform.validate(),
        }
    }
}
