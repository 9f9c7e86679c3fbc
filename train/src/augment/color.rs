//! Brightness, contrast, saturation and hue.

use rand::RngExt;
use rand::seq::SliceRandom;
use receptive_layers::image::luma;
use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

use super::to_sample;
use crate::picture::Picture;
use crate::random::Random;

/// Changes brightness, contrast, saturation and hue in a random order, each by a factor drawn evenly
/// (torchvision's `ColorJitter`); those at 0 are left alone, and grey pictures have neither
/// saturation nor hue.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColorJitter {
    /// Samples are multiplied by `1 - brightness` to `1 + brightness`; from 0 to 10.
    pub brightness: f64,
    /// Distances from the mean grey are multiplied by `1 - contrast` to `1 + contrast`; from 0 to 10.
    pub contrast: f64,
    /// Distances from a pixel's own grey are multiplied by `1 - saturation` to `1 + saturation`; from
    /// 0 to 10.
    pub saturation: f64,
    /// The hue goes round by `-hue` to `hue` of its circle; from 0 to 0.5.
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

    pub(super) fn apply(&self, mut picture: Picture, random: &mut Random) -> Picture {
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
                Change::Brightness => blend(&mut picture, factor, |_| 0.0),
                Change::Contrast => {
                    let grey = mean_grey(&picture);
                    blend(&mut picture, factor, |_| grey);
                }
                Change::Saturation => blend(&mut picture, factor, |pixel| f32::from(grey(pixel))),
                Change::Hue => turn_hue(&mut picture, drawn as f32),
            }
        }
        picture
    }
}

fn grey(pixel: &[u8]) -> u8 {
    match *pixel {
        [r, g, b] => luma([r, g, b]),
        _ => pixel[0],
    }
}

fn mean_grey(picture: &Picture) -> f32 {
    let pixels = picture.samples.chunks_exact(picture.channels);
    let sum: u64 = pixels.map(|pixel| u64::from(grey(pixel))).sum();
    (sum as f64 / (picture.width * picture.height) as f64) as f32
}

/// Moves every sample away from the `origin` of its pixel, `factor` times as far.
fn blend(picture: &mut Picture, factor: f32, origin: impl Fn(&[u8]) -> f32) {
    for pixel in picture.samples.chunks_exact_mut(picture.channels) {
        let origin = origin(pixel);
        for sample in pixel {
            *sample = to_sample(origin + factor * (f32::from(*sample) - origin));
        }
    }
}

fn turn_hue(picture: &mut Picture, turn: f32) {
    if picture.channels != 3 {
        return;
    }
    for pixel in picture.samples.chunks_exact_mut(3) {
        let turned = with_hue_turned([pixel[0], pixel[1], pixel[2]].map(f32::from), turn);
        pixel.copy_from_slice(&turned.map(to_sample));
    }
}

/// The colour with its hue, a sixth of the circle for each of red, yellow, green, cyan, blue and
/// magenta, gone round by `turn` of the circle; value and saturation stay.
fn with_hue_turned(rgb: [f32; 3], turn: f32) -> [f32; 3] {
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
    let sixth = (sixth + 6.0 * turn).rem_euclid(6.0);
    // Each channel falls from the value to the least over one sixth, two sixths off its own hue.
    [5.0, 3.0, 1.0].map(|offset| {
        let k = (offset + sixth).rem_euclid(6.0);
        value - chroma * k.min(4.0 - k).clamp(0.0, 1.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hues_go_round() {
        let red = [200.0, 20.0, 20.0];
        assert_eq!(
            with_hue_turned(red, 1.0 / 3.0).map(to_sample),
            [20, 200, 20]
        );
        assert_eq!(
            with_hue_turned(red, -1.0 / 3.0).map(to_sample),
            [20, 20, 200]
        );
        assert_eq!(with_hue_turned(red, 0.5).map(to_sample), [20, 200, 200]);
        let any = [12.0, 130.0, 77.0];
        assert_eq!(with_hue_turned(any, 0.0).map(to_sample), any.map(to_sample));
    }
}
