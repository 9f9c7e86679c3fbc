//! A grid of small images in one PNG file.

use std::io::Cursor;
use std::path::Path;

use receptive_layers::image::RgbImage;

use crate::error::CliError;
use crate::picture;

/// Tiles are enlarged by a whole factor until their longer side has at least this many pixels.
const MIN_TILE_SIDE: usize = 32;

/// Width of the gap around tiles, in pixels.
const GAP: usize = 2;

/// Colour of the gap.
const GAP_COLOUR: [u8; 3] = [255; 3];

/// A small image.
pub struct Tile {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Tile {
    /// Creates a tile from `width * height` pixels in row-major order: red, green and blue from 0
    /// to 1.
    pub fn new(width: usize, height: usize, pixels: impl Iterator<Item = [f32; 3]>) -> Self {
        let level = |value: f32| (255.0 * value).round() as u8;
        Self {
            width,
            height,
            pixels: pixels.map(|pixel| pixel.map(level)).collect(),
        }
    }
}

/// Writes `tiles`, all of one size, as a roughly square grid to the PNG file `path`.
///
/// # Errors
///
/// [`CliError::Picture`] when the file cannot be written; an existing file is then unchanged.
pub fn save(tiles: &[Tile], path: &Path) -> Result<(), CliError> {
    let mut png = Cursor::new(Vec::new());
    arrange(tiles)
        .write_to(&mut png, image::ImageFormat::Png)
        .map_err(|error| picture::cannot_write(path, &error))?;
    picture::save(png.get_ref(), path)
}

fn arrange(tiles: &[Tile]) -> RgbImage {
    let Some(first) = tiles.first() else {
        return RgbImage::new(1, 1);
    };
    let factor = MIN_TILE_SIDE.div_ceil(first.width.max(first.height)).max(1);
    let (width, height) = (first.width * factor + GAP, first.height * factor + GAP);
    let columns = ((tiles.len() * height) as f64 / width as f64).sqrt().ceil() as usize;
    let columns = columns.clamp(1, tiles.len());
    let rows = tiles.len().div_ceil(columns);
    let size = [columns * width + GAP, rows * height + GAP].map(|side| side as u32);
    let mut grid = RgbImage::from_pixel(size[0], size[1], GAP_COLOUR.into());
    for (index, tile) in tiles.iter().enumerate() {
        let (left, top) = (
            GAP + index % columns * width,
            GAP + index / columns * height,
        );
        for row in 0..tile.height * factor {
            for column in 0..tile.width * factor {
                let pixel = tile.pixels[row / factor * tile.width + column / factor];
                grid.put_pixel((left + column) as u32, (top + row) as u32, pixel.into());
            }
        }
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_placed_in_row_major_order_with_gaps() {
        let tile = |grey: f32| Tile::new(16, 16, std::iter::repeat_n([grey; 3], 256));
        let grid = arrange(&[tile(0.0), tile(0.2), tile(0.4), tile(0.6), tile(1.0)]);
        assert_eq!(grid.dimensions(), (3 * 34 + 2, 2 * 34 + 2));
        let at = |column: u32, row: u32| grid.get_pixel(2 + 34 * column, 2 + 34 * row).0[0];
        assert_eq!(
            [at(0, 0), at(1, 0), at(2, 0), at(0, 1), at(1, 1)],
            [0, 51, 102, 153, 255]
        );
        assert_eq!(grid.get_pixel(0, 0).0, GAP_COLOUR);
        assert_eq!(grid.get_pixel(33, 33).0, [0; 3]);
    }
}
