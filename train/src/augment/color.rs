//! Random changes of brightness, contrast, saturation and hue.

use rand::RngExt;
use rand::seq::SliceRandom;
use receptive_layers::image::luma;
use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

use crate::image::{Image, to_sample};
use crate::random::Random;

/// Changes brightness, contrast, saturation and hue in a random order, each by a factor with a
/// uniform distribution (torchvision's `ColorJitter`). A strength of 0 disables a change. Grey
/// images have neither saturation nor hue.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColorJitter {
    /// Strength, from 0 to 10: samples are multiplied by a factor from `1 - brightness` to
    /// `1 + brightness`.
    pub brightness: f64,
    /// Strength, from 0 to 10: differences from the mean grey of the image are multiplied by a
    /// factor from `1 - contrast` to `1 + contrast`.
    pub contrast: f64,
    /// Strength, from 0 to 10: differences from the luma of the pixel are multiplied by a factor
    /// from `1 - saturation` to `1 + saturation`.
    pub saturation: f64,
    /// Strength, from 0 to 0.5: the hue is rotated by `-hue` to `hue` turns of the colour wheel.
    pub hue: f64,
}

#[derive(Clone, Copy)]
enum Change {
    Brightness,
    Contrast,
    Saturation,
    Hue,
}

impl ColorJitter {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        for (field, strength) in [
            ("brightness", self.brightness),
            ("contrast", self.contrast),
            ("saturation", self.saturation),
        ] {
            let valid = (0.0..=10.0).contains(&strength);
            InvalidConfig::unless(valid, field, strength, "from 0 to 10")?;
        }
        InvalidConfig::unless(
            (0.0..=0.5).contains(&self.hue),
            "hue",
            self.hue,
            "from 0 to 0.5",
        )
    }

    pub(super) fn apply(&self, mut image: Image, random: &mut Random) -> Image {
        let mut changes = [
            (Change::Brightness, self.brightness),
            (Change::Contrast, self.contrast),
            (Change::Saturation, self.saturation),
            (Change::Hue, self.hue),
        ];
        changes.shuffle(random);
        for (change, strength) in changes {
            if strength == 0.0 {
                continue;
            }
            let drawn = random.random_range(-strength..=strength);
            let factor = (1.0 + drawn).max(0.0) as f32;
            match change {
                Change::Brightness => blend(&mut image, factor, |_| 0.0),
                Change::Contrast => {
                    let grey = mean_grey(&image);
                    blend(&mut image, factor, |_| grey);
                }
                Change::Saturation => blend(&mut image, factor, |pixel| f32::from(grey(pixel))),
                Change::Hue => rotate_hue(&mut image, drawn as f32),
            }
        }
        image
    }
}

fn grey(pixel: &[u8]) -> u8 {
    match *pixel {
        [r, g, b] => luma([r, g, b]),
        _ => pixel[0],
    }
}

fn mean_grey(image: &Image) -> f32 {
    let pixels = image.samples.chunks_exact(image.channels);
    let sum: u64 = pixels.map(|pixel| u64::from(grey(pixel))).sum();
    (sum as f64 / (image.width * image.height) as f64) as f32
}

/// Multiplies the difference of every sample from the `origin` of its pixel by `factor`.
fn blend(image: &mut Image, factor: f32, origin: impl Fn(&[u8]) -> f32) {
    for pixel in image.samples.chunks_exact_mut(image.channels) {
        let origin = origin(pixel);
        for sample in pixel {
            *sample = to_sample(origin + factor * (f32::from(*sample) - origin));
        }
    }
}

/// Rotates the hue of every pixel by `turns` of the colour wheel. Grey images are unchanged.
fn rotate_hue(image: &mut Image, turns: f32) {
    if image.channels != 3 {
        return;
    }
    for pixel in image.samples.chunks_exact_mut(3) {
        let rotated = with_rotated_hue([pixel[0], pixel[1], pixel[2]].map(f32::from), turns);
        pixel.copy_from_slice(&rotated.map(to_sample));
    }
}

/// Returns the colour with its hue rotated by `turns` of the HSV colour wheel; value and saturation
/// are unchanged. Red, yellow, green, cyan, blue and magenta are spaced a sixth of the wheel.
fn with_rotated_hue(rgb: [f32; 3], turns: f32) -> [f32; 3] {
    let [r, g, b] = rgb;
    let (value, least) = (r.max(g).max(b), r.min(g).min(b));
    let chroma = value - least;
    if chroma == 0.0 {
        return rgb;
    }
    let sixth = if value == r {
        (g - b) / chroma
    } else if value == g {
        (b - r) / chroma + 2.0
    } else {
        (r - g) / chroma + 4.0
    };
    let sixth = (sixth + 6.0 * turns).rem_euclid(6.0);
    // HSV to RGB: each channel falls from `value` to the least sample within one sixth of the
    // wheel. The fall starts one sixth of the wheel from the hue of the channel.
    [5.0, 3.0, 1.0].map(|offset| {
        let k = (offset + sixth).rem_euclid(6.0);
        value - chroma * k.min(4.0 - k).clamp(0.0, 1.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hue_rotation_wraps_around() {
        let red = [200.0, 20.0, 20.0];
        assert_eq!(
            with_rotated_hue(red, 1.0 / 3.0).map(to_sample),
            [20, 200, 20]
        );
        assert_eq!(
            with_rotated_hue(red, -1.0 / 3.0).map(to_sample),
            [20, 20, 200]
        );
        assert_eq!(with_rotated_hue(red, 0.5).map(to_sample), [20, 200, 200]);
        let any = [12.0, 130.0, 77.0];
        assert_eq!(
            with_rotated_hue(any, 0.0).map(to_sample),
            any.map(to_sample)
        );
    }
}
