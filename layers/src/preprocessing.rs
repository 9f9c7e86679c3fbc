//! How an image becomes a network's input: the numbers that a set of weights was trained with.

use serde::{Deserialize, Serialize};

/// Resize, crop and normalisation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// The shorter side, in pixels, after the resize.
    pub resize: usize,
    /// Height and width, in pixels, of the centre crop.
    pub crop: usize,
    /// The resize's filter.
    pub interpolation: Interpolation,
    /// Subtracted from each channel, red, green, blue, after scaling to `[0, 1]`.
    pub mean: [f32; 3],
    /// Divides each channel after that.
    pub std: [f32; 3],
}

/// The filter of a resize, widened by the scale when shrinking (antialiased, as Pillow does).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// Triangle filter, support 1.
    Bilinear,
    /// Keys' cubic with a = -0.5, support 2.
    Bicubic,
}

impl Preprocessing {
    /// torchvision's: 256, centre crop 224, bilinear, ImageNet's mean and deviation.
    pub const IMAGENET: Self = Self {
        resize: 256,
        crop: 224,
        interpolation: Interpolation::Bilinear,
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
    };
}
