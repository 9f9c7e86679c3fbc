//! Random rotation.

use rand::RngExt;
use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

use crate::image::{Image, to_sample};
use crate::random::Random;

/// Rotates the image around its centre by a random angle with a uniform distribution. The size of
/// the image is kept; uncovered pixels are black.
///
/// Samples are interpolated bilinearly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Largest angle in either direction, in degrees, from 0 to 180.
    pub degrees: f64,
}

impl Rotation {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        let valid = (0.0..=180.0).contains(&self.degrees);
        InvalidConfig::unless(valid, "degrees", self.degrees, "from 0 to 180")
    }

    pub(super) fn apply(&self, image: &Image, random: &mut Random) -> Image {
        let degrees = random.random_range(-1.0..=1.0) * self.degrees;
        rotated(image, degrees)
    }
}

/// Rotates the image clockwise by `degrees`.
fn rotated(image: &Image, degrees: f64) -> Image {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (sin, cos) = (sin as f32, cos as f32);
    let (width, height) = (image.width, image.height);
    let centre = [(width as f32 - 1.0) / 2.0, (height as f32 - 1.0) / 2.0];
    let mut rotated = Image::filled(width, height, &vec![0; image.channels]);
    for row in 0..height {
        for column in 0..width {
            let (x, y) = (column as f32 - centre[0], row as f32 - centre[1]);
            let source = [cos * x + sin * y + centre[0], cos * y - sin * x + centre[1]];
            let start = (row * width + column) * image.channels;
            for channel in 0..image.channels {
                rotated.samples[start + channel] = to_sample(interpolate(image, source, channel));
            }
        }
    }
    rotated
}

/// Interpolates one channel bilinearly at a fractional position, in pixels. Pixels outside the
/// image are 0.
fn interpolate(image: &Image, [x, y]: [f32; 2], channel: usize) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let (right_weight, lower_weight) = (x - left, y - top);
    let at = |column: f32, row: f32| {
        let inside =
            column >= 0.0 && row >= 0.0 && column < image.width as f32 && row < image.height as f32;
        if inside {
            f32::from(image.pixel(column as usize, row as usize)[channel])
        } else {
            0.0
        }
    };
    let upper = at(left, top) * (1.0 - right_weight) + at(left + 1.0, top) * right_weight;
    let lower =
        at(left, top + 1.0) * (1.0 - right_weight) + at(left + 1.0, top + 1.0) * right_weight;
    upper * (1.0 - lower_weight) + lower * lower_weight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarter_turns_permute_the_pixels() {
        let image = Image {
            width: 3,
            height: 3,
            channels: 1,
            samples: (1..=9).collect(),
        };
        assert_eq!(rotated(&image, 0.0), image);
        assert_eq!(rotated(&image, 90.0).samples, [7, 4, 1, 8, 5, 2, 9, 6, 3]);
        assert_eq!(rotated(&image, -90.0).samples, [3, 6, 9, 2, 5, 8, 1, 4, 7]);
    }
}
