//! An image on its way to the network.

use receptive_layers::image::{Raster, RgbImage, luma, resize};
use receptive_layers::preprocessing::Interpolation;

/// 8-bit samples `[height, width, channels]`, of one channel (grey) or three (red, green, blue).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels, at least 1.
    pub width: usize,
    /// Height in pixels, at least 1.
    pub height: usize,
    /// 1 or 3.
    pub channels: usize,
    /// `height * width * channels` of them, row by row, a pixel's channels together.
    pub samples: Vec<u8>,
}

impl Picture {
    /// A picture of one colour, `fill` giving a sample for each channel.
    pub fn filled(width: usize, height: usize, fill: &[u8]) -> Self {
        Self {
            width,
            height,
            channels: fill.len(),
            samples: fill.repeat(width * height),
        }
    }

    /// The samples of the pixel at `column`, `row`.
    pub fn pixel(&self, column: usize, row: usize) -> &[u8] {
        let start = (row * self.width + column) * self.channels;
        &self.samples[start..start + self.channels]
    }

    /// The rectangle of `width` x `height` pixels whose first pixel is at `left`, `top`; black where
    /// it leaves the picture.
    pub fn window(&self, left: isize, top: isize, width: usize, height: usize) -> Self {
        let mut window = Self::filled(width, height, &vec![0; self.channels]);
        let from = left.clamp(0, self.width as isize);
        let to = (left + width as isize).clamp(from, self.width as isize);
        if from == to {
            return window;
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
            window.samples[target..target + length]
                .copy_from_slice(&self.samples[start..start + length]);
        }
        window
    }

    /// The picture at another size, as Pillow resizes it.
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

    fn raster<const C: usize>(&self) -> Raster<'_, C> {
        Raster {
            width: self.width,
            height: self.height,
            samples: &self.samples,
        }
    }

    /// The picture with so many channels: grey is repeated, colour becomes its luma.
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

impl From<RgbImage> for Picture {
    fn from(image: RgbImage) -> Self {
        Self {
            width: image.width() as usize,
            height: image.height() as usize,
            channels: 3,
            samples: image.into_raw(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn picture() -> Picture {
        Picture {
            width: 3,
            height: 2,
            channels: 1,
            samples: vec![1, 2, 3, 4, 5, 6],
        }
    }

    #[test]
    fn a_window_beyond_the_edge_is_black_there() {
        let window = picture().window(-1, 1, 3, 2);
        assert_eq!(window.samples, [0, 4, 5, 0, 0, 0]);
        assert_eq!(picture().window(5, 5, 1, 2).samples, [0, 0]);
    }

    #[test]
    fn grey_and_colour_become_each_other() {
        let colour = picture().with_channels(3);
        assert_eq!(colour.pixel(1, 1), [5, 5, 5]);
        assert_eq!(colour.with_channels(1), picture());
    }

    proptest! {
        #[test]
        fn a_window_shows_what_is_there(
            left in -4_isize..7, top in -4_isize..6, width in 1_usize..6, height in 1_usize..6,
        ) {
            let (whole, window) = (picture(), picture().window(left, top, width, height));
            for row in 0..height {
                for column in 0..width {
                    let (x, y) = (left + column as isize, top + row as isize);
                    let inside = (0..3).contains(&x) && (0..2).contains(&y);
                    let expected = if inside { whole.pixel(x as usize, y as usize)[0] } else { 0 };
                    prop_assert_eq!(window.pixel(column, row)[0], expected);
                }
            }
        }
    }
}
