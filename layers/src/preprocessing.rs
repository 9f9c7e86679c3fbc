//! Parameters of image preprocessing: resize, crop and normalization, as used in the training of a
//! set of weights.

use serde::{Deserialize, Serialize};

use crate::invalid_config::InvalidConfig;

/// Largest resize and crop in pixels, so that the preprocessing of an untrusted file does not
/// exhaust the memory.
const MAX_SIZE: usize = 8192;

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

    /// The preprocessing of MNIST's digits for the 32x32 input of LeNet-5: 28x28 pixels on a
    /// background of -0.1, with full ink at 1.175, as in LeCun et al. 1998, section II.B.
    pub const MNIST: Self = Self {
        resize: 28,
        crop: 32,
        interpolation: Interpolation::Bilinear,
        mean: [0.078_431_375; 3],
        std: [0.784_313_74; 3],
    };

    /// The preprocessing of CIFAR-10's images: 32x32 pixels, mean and standard deviation of the
    /// training images.
    pub const CIFAR_10: Self = Self {
        resize: 32,
        crop: 32,
        interpolation: Interpolation::Bilinear,
        mean: [0.4914, 0.4822, 0.4465],
        std: [0.2470, 0.2435, 0.2616],
    };

    /// Checks that every field is in its range.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] names the first field that is out of range.
    pub fn validate(&self) -> Result<(), InvalidConfig> {
        for (field, pixels) in [("resize", self.resize), ("crop", self.crop)] {
            let valid = (1..=MAX_SIZE).contains(&pixels);
            InvalidConfig::unless(valid, field, pixels, "from 1 to 8192 pixels")?;
        }
        for (field, values) in [("mean", self.mean), ("std", self.std)] {
            let finite = values.iter().all(|value| value.is_finite());
            InvalidConfig::unless(finite, field, format!("{values:?}"), "finite")?;
        }
        let positive = self.std.iter().all(|&std| std > 0.0);
        InvalidConfig::unless(positive, "std", format!("{:?}", self.std), "above 0")
    }

    /// Returns this preprocessing with a crop of `size` pixels, and the resize in proportion, rounded
    /// up.
    #[must_use]
    pub const fn with_crop(self, size: usize) -> Self {
        Self {
            resize: (self.resize * size).div_ceil(self.crop),
            crop: size,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_digits_have_the_value_range_of_the_paper() {
        let prepared = Preprocessing::MNIST;
        let value = |grey: f32| (grey - prepared.mean[0]) / prepared.std[0];
        assert!((value(0.0) + 0.1).abs() < 1e-6);
        assert!((value(1.0) - 1.175).abs() < 1e-6);
    }

    #[test]
    fn values_out_of_range_are_named() {
        let imagenet = Preprocessing::IMAGENET;
        assert!(imagenet.validate().is_ok());
        for (invalid, field) in [
            (
                Preprocessing {
                    crop: 0,
                    ..imagenet
                },
                "crop",
            ),
            (
                Preprocessing {
                    resize: 8193,
                    ..imagenet
                },
                "resize",
            ),
            (
                Preprocessing {
                    std: [0.0; 3],
                    ..imagenet
                },
                "std",
            ),
            (
                Preprocessing {
                    mean: [f32::NAN; 3],
                    ..imagenet
                },
                "mean",
            ),
        ] {
            let error = invalid.validate().unwrap_err().to_string();
            assert!(error.contains(field), "{error}");
        }
    }

    #[test]
    fn another_crop_keeps_the_ratio_of_the_resize() {
        let prepared = Preprocessing::IMAGENET.with_crop(112);
        assert_eq!((prepared.resize, prepared.crop), (128, 112));
        assert_eq!(Preprocessing::IMAGENET.with_crop(227).resize, 260);
        assert_eq!(
            Preprocessing::IMAGENET.with_crop(224),
            Preprocessing::IMAGENET
        );
    }
}
