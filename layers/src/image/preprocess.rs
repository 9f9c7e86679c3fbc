//! torchvision's evaluation transform: resize of the shorter side, centre crop, normalization.

use std::array;
use std::ops::Range;

use ::image::RgbImage;

use super::crop::centre_crop_start;
use super::resample::{Raster, resample};
use crate::preprocessing::{Interpolation, Preprocessing};

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
    prepare(raster, preprocessing)
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
    prepare(raster, preprocessing)
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

fn prepare<const C: usize>(image: Raster<C>, preprocessing: &Preprocessing) -> Vec<f32> {
    let Preprocessing { resize, crop, .. } = *preprocessing;
    let samples = resize_and_crop(image, resize, crop, preprocessing.interpolation);
    let mean: [f32; C] = array::from_fn(|channel| preprocessing.mean[channel]);
    let std = array::from_fn(|channel| preprocessing.std[channel]);
    normalize(&samples, mean, std)
}

/// Converts interleaved samples `[height, width, C]` to normalized planes `[C, height, width]`: a sample
/// `v` becomes `(v / 255 - mean) / std`, with the mean and standard deviation of its channel.
pub fn normalize<const C: usize>(samples: &[u8], mean: [f32; C], std: [f32; C]) -> Vec<f32> {
    let (pixels, _) = samples.as_chunks::<C>();
    let mut planes = Vec::with_capacity(samples.len());
    for channel in 0..C {
        let (mean, std) = (mean[channel], std[channel]);
        planes.extend(
            pixels
                .iter()
                .map(|pixel| (f32::from(pixel[channel]) / 255.0 - mean) / std),
        );
    }
    planes
}

/// Resizes the shorter side to `resize` pixels and crops a square of `crop` pixels from the centre, as
/// steps 1 and 2 of [`preprocess`]. Returns the samples `[crop, crop, C]`.
///
/// Only the pixels inside the crop are computed.
pub fn resize_and_crop<const C: usize>(
    image: Raster<C>,
    resize: usize,
    crop: usize,
    interpolation: Interpolation,
) -> Vec<u8> {
    let mut canvas = vec![0; crop * crop * C];
    let (width, height) = resized_size(image.width, image.height, resize);
    let (columns, rows) = (Span::centred(width, crop), Span::centred(height, crop));
    if columns.range.is_empty() || rows.range.is_empty() {
        return canvas;
    }
    let pixels = resample(
        image,
        (width, columns.range.clone()),
        (height, rows.range.clone()),
        interpolation,
    );
    let columns = columns.padding..columns.padding + columns.len();
    for (to, from) in canvas
        .chunks_exact_mut(crop * C)
        .skip(rows.padding)
        .zip(pixels.chunks_exact(columns.len()))
    {
        to[columns.start * C..columns.end * C].copy_from_slice(from.as_flattened());
    }
    canvas
}

/// Returns width and height after the resize of the shorter side to `shorter` pixels, as torchvision
/// computes them: the longer side keeps the aspect ratio and is rounded down. An image without pixels
/// remains one.
pub fn resized_size(width: usize, height: usize, shorter: usize) -> (u64, u64) {
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

/// A rectangle of an image, in pixels from the left and the top. It can exceed the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Distance of the left edge from that of the image.
    pub left: f64,
    /// Distance of the top edge from that of the image.
    pub top: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// Returns the part of an image of `width` by `height` pixels that [`preprocess`] crops.
pub fn seen_region(width: usize, height: usize, preprocessing: &Preprocessing) -> Region {
    let crop = preprocessing.crop;
    let (columns, rows) = resized_size(width, height, preprocessing.resize);
    let axis = |length: usize, resized: u64| {
        let scale = length as f64 / resized.max(1) as f64;
        let start = centre_crop_start(resized, crop as u64);
        (start as f64 * scale, crop as f64 * scale)
    };
    let ((left, width), (top, height)) = (axis(width, columns), axis(height, rows));
    Region {
        left,
        top,
        width,
        height,
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
        assert_eq!(resized_size(451, 300, 256), (384, 256));
        assert_eq!(resized_size(600, 400, 256), (384, 256));
        assert_eq!(resized_size(300, 451, 232), (232, 348));
        assert_eq!(resized_size(1, 1, 256), (256, 256));
        assert_eq!(resized_size(1, 10_000, 256), (256, 2_560_000));
    }

    /// torchvision's `int(size * long / short)`: the product is exact, the quotient is rounded to the
    /// nearest float, then down.
    #[test]
    fn the_longer_side_is_that_of_torchvision_for_every_remainder() {
        for short in 1..60_usize {
            for long in short..120 {
                for shorter in [1, 7, 32, 224, 232, 256] {
                    // No quotient of such small numbers rounds up to an integer.
                    let longer = (shorter * long / short) as u64;
                    let expected = (shorter as u64, longer);
                    assert_eq!(resized_size(short, long, shorter), expected);
                    let (width, height) = resized_size(long, short, shorter);
                    let expected = if long == short {
                        expected
                    } else {
                        (longer, shorter as u64)
                    };
                    assert_eq!((width, height), expected);
                }
            }
        }
    }

    #[test]
    fn the_region_is_the_crop_in_pixels_of_the_image() {
        // 512 x 768 is resized to 256 x 384 and cropped from column 16, row 80.
        let region = seen_region(512, 768, &Preprocessing::IMAGENET);
        let expected = Region {
            left: 32.0,
            top: 160.0,
            width: 448.0,
            height: 448.0,
        };
        assert_eq!(region, expected);
        // A crop larger than the resize is padded.
        let padded = Preprocessing {
            resize: 112,
            ..Preprocessing::IMAGENET
        };
        let region = seen_region(112, 112, &padded);
        assert_eq!((region.left, region.width), (-56.0, 224.0));
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
