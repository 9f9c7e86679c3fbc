//! Small pictures side by side in one file.

use std::path::Path;

use receptive_layers::atomic_file::AtomicFile;
use receptive_layers::image::RgbImage;

use crate::error::CliError;

/// The least width and height of a tile in the file, in pixels, as far as whole factors allow.
const LEGIBLE: usize = 32;

/// Pixels between tiles.
const GAP: usize = 2;

/// The colour between tiles.
const BETWEEN: [u8; 3] = [255; 3];

/// A small picture.
pub struct Tile {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Tile {
    /// A tile of `width` x `height` pixels, row by row, red, green and blue from 0 to 1.
    pub fn new(width: usize, height: usize, pixels: impl Iterator<Item = [f32; 3]>) -> Self {
        let level = |value: f32| (255.0 * value).round() as u8;
        Self {
            width,
            height,
            pixels: pixels.map(|pixel| pixel.map(level)).collect(),
        }
    }
}

/// Writes `tiles`, all of one size, as a PNG that is about square.
///
/// # Errors
///
/// [`CliError::Picture`] when the file cannot be written; it is then as it was.
pub fn save(tiles: &[Tile], path: &Path) -> Result<(), CliError> {
    let written = || -> Result<(), Box<dyn std::error::Error>> {
        let mut file = AtomicFile::create(path)?;
        let picture = together(tiles);
        picture.write_to(&mut std::io::BufWriter::new(file.file_mut()), PNG)?;
        Ok(file.commit()?)
    };
    written().map_err(|error| CliError::Picture {
        path: path.to_owned(),
        message: error.to_string(),
    })
}

const PNG: image::ImageFormat = image::ImageFormat::Png;

fn together(tiles: &[Tile]) -> RgbImage {
    let Some(first) = tiles.first() else {
        return RgbImage::new(1, 1);
    };
    let factor = LEGIBLE.div_ceil(first.width.max(first.height)).max(1);
    let (width, height) = (first.width * factor + GAP, first.height * factor + GAP);
    let columns = ((tiles.len() * height) as f64 / width as f64).sqrt().ceil() as usize;
    let columns = columns.clamp(1, tiles.len());
    let rows = tiles.len().div_ceil(columns);
    let size = [columns * width + GAP, rows * height + GAP].map(|side| side as u32);
    let mut picture = RgbImage::from_pixel(size[0], size[1], BETWEEN.into());
    for (number, tile) in tiles.iter().enumerate() {
        let (left, top) = (
            GAP + number % columns * width,
            GAP + number / columns * height,
        );
        for row in 0..tile.height * factor {
            for column in 0..tile.width * factor {
                let pixel = tile.pixels[row / factor * tile.width + column / factor];
                picture.put_pixel((left + column) as u32, (top + row) as u32, pixel.into());
            }
        }
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_keep_their_order_and_their_pixels() {
        let tile = |grey: f32| Tile::new(16, 16, std::iter::repeat_n([grey; 3], 256));
        let picture = together(&[tile(0.0), tile(0.2), tile(0.4), tile(0.6), tile(1.0)]);
        assert_eq!(picture.dimensions(), (3 * 34 + 2, 2 * 34 + 2));
        let at = |column: u32, row: u32| picture.get_pixel(2 + 34 * column, 2 + 34 * row).0[0];
        assert_eq!(
            [at(0, 0), at(1, 0), at(2, 0), at(0, 1), at(1, 1)],
            [0, 51, 102, 153, 255]
        );
        assert_eq!(picture.get_pixel(0, 0).0, BETWEEN);
        assert_eq!(picture.get_pixel(33, 33).0, [0; 3]);
    }
}
