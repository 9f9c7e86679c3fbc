//! Resize of the shorter side, centre crop, normalisation: torchvision's evaluation transform.

use std::ops::Range;

use ::image::RgbImage;

use super::resample::{Raster, resample};
use crate::preprocessing::Preprocessing;

/// A network's input from a photo: `[3, crop, crop]`, red, green and blue plane, row by row.
///
/// The shorter side becomes `resize` pixels and the longer one keeps the ratio, rounded down. The
/// crop takes the centre (an odd rest is halved to the even number); where the resized photo is
/// smaller than the crop it is surrounded with black. A sample `v` becomes `(v / 255 - mean) / std`.
///
/// Only the pixels inside the crop are computed, so a photo of any ratio costs little memory. An
/// image without pixels gives black.
pub fn preprocess(image: &RgbImage, preprocessing: &Preprocessing) -> Vec<f32> {
    let raster = Raster::<3> {
        width: image.width() as usize,
        height: image.height() as usize,
        samples: image.as_raw(),
    };
    normalise(&resize_and_crop(raster, preprocessing), preprocessing)
}

/// As [`preprocess`], for networks that see grey: `[1, crop, crop]`, with the first mean and
/// deviation.
///
/// Grey is the luma of ITU-R BT.601, `0.299 r + 0.587 g + 0.114 b`, rounded before the resize.
pub fn preprocess_grey(image: &RgbImage, preprocessing: &Preprocessing) -> Vec<f32> {
    let grey: Vec<u8> = image.pixels().map(|pixel| luma(pixel.0)).collect();
    let raster = Raster::<1> {
        width: image.width() as usize,
        height: image.height() as usize,
        samples: &grey,
    };
    normalise(&resize_and_crop(raster, preprocessing), preprocessing)
}

/// Grey of a colour: `0.299 r + 0.587 g + 0.114 b`, the luma of ITU-R BT.601, rounded.
///
/// The weights are in 16-bit fixed point, as Pillow has them: 0.299, 0.587 and 0.114 times 65536.
pub fn luma([r, g, b]: [u8; 3]) -> u8 {
    let sum = 19595 * u32::from(r) + 38470 * u32::from(g) + 7471 * u32::from(b);
    ((sum + 0x8000) >> 16) as u8
}

fn normalise<const C: usize>(pixels: &[[u8; C]], preprocessing: &Preprocessing) -> Vec<f32> {
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

/// The crop's pixels, `crop * crop` of them, row by row.
fn resize_and_crop<const C: usize>(
    image: Raster<C>,
    preprocessing: &Preprocessing,
) -> Vec<[u8; C]> {
    let crop = preprocessing.crop;
    let mut canvas = vec![[0; C]; crop * crop];
    let (width, height) = resized(image.width, image.height, preprocessing.resize);
    let (columns, rows) = (Span::centred(width, crop), Span::centred(height, crop));
    if columns.taken.is_empty() || rows.taken.is_empty() {
        return canvas;
    }
    let pixels = resample(
        image,
        (width, columns.taken.clone()),
        (height, rows.taken.clone()),
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

/// Width and height after the resize of the shorter side to `shorter` pixels.
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
    /// Black pixels before the image.
    padding: usize,
    /// The resized image's pixels inside the crop.
    taken: Range<u64>,
}

impl Span {
    fn centred(length: u64, crop: usize) -> Self {
        match length.checked_sub(crop as u64) {
            Some(rest) => {
                let half = rest / 2;
                let start = half + (rest & half & 1);
                Self {
                    padding: 0,
                    taken: start..start + crop as u64,
                }
            }
            None => Self {
                padding: (crop - length as usize) / 2,
                taken: 0..length,
            },
        }
    }

    fn len(&self) -> usize {
        (self.taken.end - self.taken.start) as usize
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
    fn an_odd_rest_is_halved_to_the_even_number() {
        let starts = [224, 225, 226, 227, 228, 229].map(|n| Span::centred(n, 224).taken.start);
        assert_eq!(starts, [0, 0, 1, 2, 2, 2]);
    }

    #[test]
    fn what_the_image_lacks_is_padded_less_before_than_after() {
        let span = Span::centred(3, 8);
        assert_eq!((span.padding, span.taken), (2, 0..3));
    }
}
