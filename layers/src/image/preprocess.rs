//! torchvision's evaluation transform: resize of the shorter side, centre crop, normalization.

use std::ops::Range;

use ::image::RgbImage;

use super::crop::centre_crop_start;
use super::resample::{Raster, resample};
use crate::preprocessing::Preprocessing;

/// Converts an image to a network's input `[3, crop, crop]`: the red, green and blue plane, each in
/// row-major order.
///
/// 1. The shorter side is resized to `resize` pixels. The longer side keeps the aspect ratio and is
///    rounded down.
/// 2. The centre is cropped. An odd difference is halved to the nearest even number, as in Python's
///    `round`. An image smaller than the crop is padded with black.
/// 3. A sample `v` becomes `(v / 255 - mean) / std`.
///
/// Only the pixels inside the crop are computed, so that an extreme aspect ratio does not need much
/// memory. An image without pixels becomes black.
pub fn preprocess(image: &RgbImage, preprocessing: &Preprocessing) -> Vec<f32> {
    let raster = Raster::<3> {
        width: image.width() as usize,
        height: image.height() as usize,
        samples: image.as_raw(),
    };
    normalize(&resize_and_crop(raster, preprocessing), preprocessing)
}

/// Converts an image to the input `[1, crop, crop]` of a network of grey images, as [`preprocess`]
/// does for colour, with the mean and standard deviation of the first channel.
///
/// [`luma`] converts the pixels to grey before the resize.
pub fn preprocess_grey(image: &RgbImage, preprocessing: &Preprocessing) -> Vec<f32> {
    let grey: Vec<u8> = image.pixels().map(|pixel| luma(pixel.0)).collect();
    let raster = Raster::<1> {
        width: image.width() as usize,
        height: image.height() as usize,
        samples: &grey,
    };
    normalize(&resize_and_crop(raster, preprocessing), preprocessing)
}

/// Converts an image to the input `[channels, crop, crop]` of a network: by [`preprocess_grey`] for
/// one channel, else by [`preprocess`] for three.
pub fn preprocess_channels(
    image: &RgbImage,
    preprocessing: &Preprocessing,
    channels: usize,
) -> Vec<f32> {
    if channels == 1 {
        preprocess_grey(image, preprocessing)
    } else {
        preprocess(image, preprocessing)
    }
}

/// Returns the luma of a colour, `0.299 r + 0.587 g + 0.114 b` (ITU-R BT.601), rounded.
///
/// The coefficients are Pillow's, in 16-bit fixed point: 0.299, 0.587 and 0.114 times 65536.
pub fn luma([r, g, b]: [u8; 3]) -> u8 {
    let sum = 19595 * u32::from(r) + 38470 * u32::from(g) + 7471 * u32::from(b);
    ((sum + 0x8000) >> 16) as u8
}

/// Returns the normalized planes of interleaved pixels.
fn normalize<const C: usize>(pixels: &[[u8; C]], preprocessing: &Preprocessing) -> Vec<f32> {
    let mut planes = Vec::with_capacity(pixels.len() * C);
    for channel in 0..C {
        let (mean, std) = (preprocessing.mean[channel], preprocessing.std[channel]);
        planes.extend(
            pixels
                .iter()
                .map(|pixel| (f32::from(pixel[channel]) / 255.0 - mean) / std),
        );
    }
    planes
}

/// Returns the `crop * crop` pixels of the crop in row-major order.
fn resize_and_crop<const C: usize>(
    image: Raster<C>,
    preprocessing: &Preprocessing,
) -> Vec<[u8; C]> {
    let crop = preprocessing.crop;
    let mut canvas = vec![[0; C]; crop * crop];
    let (width, height) = resized(image.width, image.height, preprocessing.resize);
    let (columns, rows) = (Span::centred(width, crop), Span::centred(height, crop));
    if columns.range.is_empty() || rows.range.is_empty() {
        return canvas;
    }
    let pixels = resample(
        image,
        (width, columns.range.clone()),
        (height, rows.range.clone()),
        preprocessing.interpolation,
    );
    let columns = columns.padding..columns.padding + columns.len();
    for (to, from) in canvas
        .chunks_exact_mut(crop)
        .skip(rows.padding)
        .zip(pixels.chunks_exact(columns.len()))
    {
        to[columns.clone()].copy_from_slice(from);
    }
    canvas
}

/// Returns width and height after the resize of the shorter side to `shorter` pixels.
fn resized(width: usize, height: usize, shorter: usize) -> (u64, u64) {
    if width == 0 || height == 0 {
        return (0, 0);
    }
    let (short, long) = (width.min(height), width.max(height));
    let longer = (shorter as f64 * long as f64 / short as f64) as u64;
    if width <= height {
        (shorter as u64, longer)
    } else {
        (longer, shorter as u64)
    }
}

/// One axis of a centre crop.
struct Span {
    /// Number of black pixels before the image.
    padding: usize,
    /// Pixels of the resized image inside the crop.
    range: Range<u64>,
}

impl Span {
    /// Returns the centre crop of `crop` pixels from an axis of `length` pixels.
    fn centred(length: u64, crop: usize) -> Self {
        let start = centre_crop_start(length, crop as u64);
        match u64::try_from(start) {
            Ok(start) => Self {
                padding: 0,
                range: start..length.min(start + crop as u64),
            },
            Err(_) => Self {
                padding: start.unsigned_abs() as usize,
                range: 0..length,
            },
        }
    }

    /// Returns the number of pixels of the image inside the crop.
    fn len(&self) -> usize {
        (self.range.end - self.range.start) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_side_is_rounded_down() {
        assert_eq!(resized(451, 300, 256), (384, 256));
        assert_eq!(resized(600, 400, 256), (384, 256));
        assert_eq!(resized(300, 451, 232), (232, 348));
        assert_eq!(resized(1, 1, 256), (256, 256));
        assert_eq!(resized(1, 10_000, 256), (256, 2_560_000));
    }

    #[test]
    fn a_span_has_the_length_of_the_crop_or_of_the_image() {
        for (length, crop) in [(7, 8), (8, 8), (9, 8), (11, 8)] {
            let span = Span::centred(length, crop);
            assert_eq!(span.len(), crop.min(length as usize), "{length}");
        }
    }

    #[test]
    fn an_odd_padding_is_smaller_before_the_image_than_after() {
        let span = Span::centred(3, 8);
        assert_eq!((span.padding, span.range), (2, 0..3));
    }
}
