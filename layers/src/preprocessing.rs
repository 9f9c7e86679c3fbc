//! Parameters of image preprocessing: resize, crop and normalization, as used in the training of a
//! set of weights.

use serde::{Deserialize, Serialize};

/// Parameters that turn an image into a network's input.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// Length of the shorter side after the resize, in pixels.
    pub resize: usize,
    /// Height and width of the centre crop, in pixels.
    pub crop: usize,
    /// Filter of the resize.
    pub interpolation: Interpolation,
    /// Mean of the red, green and blue channels, subtracted from samples scaled to `[0, 1]`.
    pub mean: [f32; 3],
    /// Standard deviation of the red, green and blue channels, by which samples are divided after
    /// the subtraction of the mean.
    pub std: [f32; 3],
}

/// Filter of a resize.
///
/// Downscaling widens the filter by the scale factor (antialiasing), as Pillow does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Interpolation {
    /// Triangle filter, support 1.
    Bilinear,
    /// Keys' cubic with a = -0.5, support 2.
    Bicubic,
}

impl Preprocessing {
    /// torchvision's preprocessing for ImageNet: bilinear resize to 256, centre crop of 224, mean
    /// and standard deviation of ImageNet.
    pub const IMAGENET: Self = Self {
        resize: 256,
        crop: 224,
        interpolation: Interpolation::Bilinear,
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
    };
}
