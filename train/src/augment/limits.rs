//! Range checks of the fields of transforms.

use receptive_layers::network::InvalidConfig;

/// Largest side length that a transform accepts, in pixels.
pub const MAX_SIDE: usize = 8192;

/// Checks that `field`, a length in pixels, is from `least` (0 or 1) to [`MAX_SIDE`].
pub fn check_pixels(field: &'static str, pixels: usize, least: usize) -> Result<(), InvalidConfig> {
    let valid = (least..=MAX_SIDE).contains(&pixels);
    let expected = if least == 0 {
        "from 0 to 8192 pixels"
    } else {
        "from 1 to 8192 pixels"
    };
    InvalidConfig::unless(valid, field, pixels, expected)
}

/// Checks that `field`, a probability, is from 0 to 1.
pub fn check_probability(field: &'static str, probability: f64) -> Result<(), InvalidConfig> {
    let valid = (0.0..=1.0).contains(&probability);
    InvalidConfig::unless(valid, field, probability, "from 0 to 1")
}

/// Checks that `field` is an ascending range of positive numbers up to `most`.
pub fn check_range(
    field: &'static str,
    [low, high]: [f64; 2],
    most: f64,
) -> Result<(), InvalidConfig> {
    let valid = low > 0.0 && low <= high && high <= most;
    let expected = if most == 1.0 {
        "two numbers above 0 and up to 1, the smaller first"
    } else {
        "two numbers above 0, the smaller first"
    };
    InvalidConfig::unless(valid, field, format!("{low} to {high}"), expected)
}
