//! The 8-bit image that the transforms of a recipe operate on.

use receptive_layers::image::{Raster, RgbImage, luma, resize, resize_and_crop};
use receptive_layers::preprocessing::Interpolation;

/// Image of 8-bit samples `[height, width, channels]`, with one channel (grey) or three (RGB).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Width in pixels, at least 1.
    pub width: usize,
    /// Height in pixels, at least 1.
    pub height: usize,
    /// Number of channels, 1 or 3.
    pub channels: usize,
    /// The samples, `[height, width, channels]` in row-major order.
    pub samples: Vec<u8>,
}

impl Image {
    /// Returns an image of one colour; `fill` holds a sample for each channel.
    pub fn filled(width: usize, height: usize, fill: &[u8]) -> Self {
        Self {
            width,
            height,
            channels: fill.len(),
            samples: fill.repeat(width * height),
        }
    }

    /// Returns the samples of the pixel at `column`, `row`.
    pub fn pixel(&self, column: usize, row: usize) -> &[u8] {
        let start = (row * self.width + column) * self.channels;
        &self.samples[start..start + self.channels]
    }

    /// Returns the rectangle of `width` x `height` pixels whose top left pixel is at `left`, `top`.
    /// Pixels outside the image are black.
    pub fn crop(&self, left: isize, top: isize, width: usize, height: usize) -> Self {
        let mut crop = Self::filled(width, height, &vec![0; self.channels]);
        let from = left.clamp(0, self.width as isize);
        let to = (left + width as isize).clamp(from, self.width as isize);
        if from == to {
            return crop;
        }
        for row in 0..height {
            let Some(source) = usize::try_from(top + row as isize)
                .ok()
                .filter(|&row| row < self.height)
            else {
                continue;
            };
            let length = (to - from) as usize * self.channels;
            let start = (source * self.width + from as usize) * self.channels;
            let target = (row * width + (from - left) as usize) * self.channels;
            crop.samples[target..target + length]
                .copy_from_slice(&self.samples[start..start + length]);
        }
        crop
    }

    /// Returns the image resized to `width` x `height` pixels, with the filters of Pillow.
    pub fn resized(&self, width: usize, height: usize, interpolation: Interpolation) -> Self {
        let samples = match self.channels {
            1 => resize(self.raster::<1>(), width, height, interpolation),
            _ => resize(self.raster::<3>(), width, height, interpolation),
        };
        Self {
            width,
            height,
            channels: self.channels,
            samples,
        }
    }

    /// Returns the square of `size` pixels in the centre of the image after a resize of the shorter side to
    /// `shorter` pixels.
    pub fn resized_and_cropped(
        &self,
        shorter: usize,
        size: usize,
        interpolation: Interpolation,
    ) -> Self {
        let samples = match self.channels {
            1 => resize_and_crop(self.raster::<1>(), shorter, size, interpolation),
            _ => resize_and_crop(self.raster::<3>(), shorter, size, interpolation),
        };
        Self {
            width: size,
            height: size,
            channels: self.channels,
            samples,
        }
    }

    fn raster<const C: usize>(&self) -> Raster<'_, C> {
        Raster {
            width: self.width,
            height: self.height,
            samples: &self.samples,
        }
    }

    /// Converts the image to `channels` channels: grey is repeated, RGB becomes luma.
    pub fn with_channels(self, channels: usize) -> Self {
        let samples = match (self.channels, channels) {
            (3, 1) => self
                .samples
                .chunks_exact(3)
                .map(|rgb| luma([rgb[0], rgb[1], rgb[2]]))
                .collect(),
            (1, 3) => self.samples.iter().flat_map(|&grey| [grey; 3]).collect(),
            _ => return self,
        };
        Self {
            channels,
            samples,
            ..self
        }
    }
}

impl From<RgbImage> for Image {
    fn from(image: RgbImage) -> Self {
        Self {
            width: image.width() as usize,
            height: image.height() as usize,
            channels: 3,
            samples: image.into_raw(),
        }
    }
}

/// Rounds `value` to the nearest 8-bit sample, clamped to 0 to 255.
pub(crate) fn to_sample(value: f32) -> u8 {
    // The cast saturates.
    value.round() as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn image() -> Image {
        Image {
            width: 3,
            height: 2,
            channels: 1,
            samples: vec![1, 2, 3, 4, 5, 6],
        }
    }

    #[test]
    fn a_crop_is_black_outside_the_image() {
        let crop = image().crop(-1, 1, 3, 2);
        assert_eq!(crop.samples, [0, 4, 5, 0, 0, 0]);
        assert_eq!(image().crop(5, 5, 1, 2).samples, [0, 0]);
    }

    #[test]
    fn grey_converts_to_rgb_and_back() {
        let colour = image().with_channels(3);
        assert_eq!(colour.pixel(1, 1), [5, 5, 5]);
        assert_eq!(colour.with_channels(1), image());
    }

    proptest! {
        #[test]
        fn a_crop_holds_the_pixels_of_its_rectangle(
            left in -4_isize..7, top in -4_isize..6, width in 1_usize..6, height in 1_usize..6,
        ) {
            let (source, crop) = (image(), image().crop(left, top, width, height));
            for row in 0..height {
                for column in 0..width {
                    let (x, y) = (left + column as isize, top + row as isize);
                    let inside = (0..3).contains(&x) && (0..2).contains(&y);
                    let expected = if inside { source.pixel(x as usize, y as usize)[0] } else { 0 };
                    prop_assert_eq!(crop.pixel(column, row)[0], expected);
                }
            }
        }
    }
}
