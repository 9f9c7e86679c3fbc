//! Parameters of image preprocessing: resize, crop and normalization, as used in the training of a
//! set of weights.

use serde::{Deserialize, Serialize};

use crate::labels::LabelSet;

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

    /// The preprocessing for a network of `size` pixels that distinguishes the classes of `labels`
    /// and has no published weights.
    ///
    /// MNIST digits are resized to 28/32 of the input size and centred on a background of -0.1, with
    /// full ink at 1.175, as in LeCun et al. 1998, section II.B. Other images are prepared as for
    /// ImageNet, with the resize in proportion to the input size.
    pub fn unpublished(labels: LabelSet, size: usize) -> Self {
        if labels == LabelSet::Mnist {
            let (background, ink) = (-0.1, 1.175);
            let std = 1.0 / (ink - background);
            return Self {
                resize: size * 28 / 32,
                crop: size,
                mean: [-background * std; 3],
                std: [std; 3],
                ..Self::IMAGENET
            };
        }
        Self {
            resize: size * Self::IMAGENET.resize / Self::IMAGENET.crop,
            crop: size,
            ..Self::IMAGENET
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_digits_have_the_value_range_of_the_paper() {
        let prepared = Preprocessing::unpublished(LabelSet::Mnist, 32);
        let value = |grey: f32| (grey - prepared.mean[0]) / prepared.std[0];
        assert!((value(0.0) + 0.1).abs() < 1e-6);
        assert!((value(1.0) - 1.175).abs() < 1e-6);
        assert_eq!((prepared.resize, prepared.crop), (28, 32));
    }

    #[test]
    fn colour_images_keep_the_resize_ratio_of_imagenet() {
        let prepared = Preprocessing::unpublished(LabelSet::Imagenet1k, 112);
        assert_eq!((prepared.resize, prepared.crop), (128, 112));
    }
}
