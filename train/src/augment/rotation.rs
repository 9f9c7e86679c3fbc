//! A turn around the centre.

use rand::RngExt;
use receptive_layers::network::InvalidConfig;
use serde::{Deserialize, Serialize};

use super::to_sample;
use crate::picture::Picture;
use crate::random::Random;

/// Turns by an angle drawn evenly, the size kept; what comes into view is black.
///
/// Samples lie between four pixels and are weighted by their distances (bilinear).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// The largest angle to either side, in degrees, from 0 to 180.
    pub degrees: f64,
}

impl Rotation {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        let valid = (0.0..=180.0).contains(&self.degrees);
        InvalidConfig::unless(valid, "degrees", self.degrees, "from 0 to 180")
    }

    pub(super) fn apply(&self, picture: &Picture, random: &mut Random) -> Picture {
        let degrees = random.random_range(-1.0..=1.0) * self.degrees;
        turned(picture, degrees)
    }
}

/// The picture turned by `degrees`, clockwise as it is seen.
fn turned(picture: &Picture, degrees: f64) -> Picture {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (sin, cos) = (sin as f32, cos as f32);
    let (width, height) = (picture.width, picture.height);
    let centre = [(width as f32 - 1.0) / 2.0, (height as f32 - 1.0) / 2.0];
    let mut turned = Picture::filled(width, height, &vec![0; picture.channels]);
    for row in 0..height {
        for column in 0..width {
            let (x, y) = (column as f32 - centre[0], row as f32 - centre[1]);
            let source = [cos * x + sin * y + centre[0], cos * y - sin * x + centre[1]];
            let start = (row * width + column) * picture.channels;
            for channel in 0..picture.channels {
                turned.samples[start + channel] = to_sample(between(picture, source, channel));
            }
        }
    }
    turned
}

/// The channel's value at a place between pixels.
fn between(picture: &Picture, [x, y]: [f32; 2], channel: usize) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let (right_part, lower_part) = (x - left, y - top);
    let at = |column: f32, row: f32| {
        let inside = column >= 0.0
            && row >= 0.0
            && column < picture.width as f32
            && row < picture.height as f32;
        if inside {
            f32::from(picture.pixel(column as usize, row as usize)[channel])
        } else {
            0.0
        }
    };
    let upper = at(left, top) * (1.0 - right_part) + at(left + 1.0, top) * right_part;
    let lower = at(left, top + 1.0) * (1.0 - right_part) + at(left + 1.0, top + 1.0) * right_part;
    upper * (1.0 - lower_part) + lower * lower_part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarter_turns_move_pixels_to_pixels() {
        let picture = Picture {
            width: 3,
            height: 3,
            channels: 1,
            samples: (1..=9).collect(),
        };
        assert_eq!(turned(&picture, 0.0), picture);
        assert_eq!(turned(&picture, 90.0).samples, [7, 4, 1, 8, 5, 2, 9, 6, 3]);
        assert_eq!(turned(&picture, -90.0).samples, [3, 6, 9, 2, 5, 8, 1, 4, 7]);
    }
}
