//! Assembly of an image from rows, upright.

use ::image::RgbImage;
use ::image::metadata::Orientation;
use receptive_kernels::allocator::try_allocate;

use super::error::ImageError;

/// Returns an error if an RGB image of width and height `size`, and `others` further bytes, take more
/// than `limit` bytes.
pub fn check_memory(size: [u32; 2], others: u64, limit: u64) -> Result<(), ImageError> {
    let [width, height] = size;
    // No buffer is longer than this on any machine.
    let limit = limit.min(isize::MAX as u64);
    let bytes = (3 * u128::from(width) * u128::from(height) + u128::from(others))
        .try_into()
        .unwrap_or(u64::MAX);
    if bytes > limit {
        return Err(ImageError::TooManyPixels {
            width,
            height,
            bytes,
            limit,
        });
    }
    Ok(())
}

/// Returns a vector of `length` times `value`, or an error if the memory cannot be allocated.
pub fn filled<T: Copy>(length: usize, value: T) -> Result<Vec<T>, ImageError> {
    let mut values = reserved(length)?;
    values.resize(length, value);
    Ok(values)
}

/// Returns an empty vector with capacity for `length` values, or an error if the memory cannot be
/// allocated.
fn reserved<T>(length: usize) -> Result<Vec<T>, ImageError> {
    let mut values = Vec::new();
    try_allocate(|| values.try_reserve_exact(length))
        .map_err(|_| ImageError::OutOfMemory(length as u64 * size_of::<T>() as u64))?;
    Ok(values)
}

/// RGB image that is assembled from the rows of a file, each pixel at its place after the rotation and
/// reflection of an orientation. There is no second copy of the pixels.
pub struct Upright {
    /// Width and height before the orientation.
    size: [usize; 2],
    orientation: Orientation,
    /// Number of rows so far.
    rows: usize,
    /// The pixels of the image. Without a transform, those of the rows so far.
    pixels: Vec<u8>,
    /// A row, before the transform.
    row: Vec<u8>,
}

impl Upright {
    /// Returns an image without rows, for a file of width and height `size`.
    pub fn new(size: [u32; 2], orientation: Orientation) -> Result<Self, ImageError> {
        let size = size.map(|length| length as usize);
        let length = size[0] * size[1] * 3;
        let pixels = match orientation {
            Orientation::NoTransforms => reserved(length)?,
            _ => filled(length, 0)?,
        };
        Ok(Self {
            size,
            orientation,
            rows: 0,
            pixels,
            row: vec![0; 3 * size[0]],
        })
    }

    /// Appends the next row of the file, which `fill` writes. Rows after the last one are ignored.
    pub fn push_row(&mut self, fill: impl FnOnce(&mut [u8])) {
        use Orientation::*;
        let [width, height] = self.size;
        // The row, counted from the top and from the bottom.
        let top = self.rows;
        let Some(bottom) = (height - 1).checked_sub(top) else {
            return;
        };
        self.rows += 1;
        if self.orientation == NoTransforms {
            let start = self.pixels.len();
            self.pixels.resize(start + 3 * width, 0);
            return fill(&mut self.pixels[start..]);
        }
        fill(&mut self.row);
        let (from, _) = self.row.as_chunks::<3>();
        let (pixels, _) = self.pixels.as_chunks_mut::<3>();
        match self.orientation {
            NoTransforms => {}
            FlipVertical => pixels[bottom * width..][..width].copy_from_slice(from),
            FlipHorizontal => reverse(&mut pixels[top * width..][..width], from),
            Rotate180 => reverse(&mut pixels[bottom * width..][..width], from),
            Rotate90FlipH => column(pixels, height, top, from.iter()),
            Rotate90 => column(pixels, height, bottom, from.iter()),
            Rotate270FlipH => column(pixels, height, bottom, from.iter().rev()),
            Rotate270 => column(pixels, height, top, from.iter().rev()),
        }
    }

    /// Returns the image. All rows must have been appended.
    pub fn into_image(self) -> RgbImage {
        let [width, height] = self.size.map(|length| length as u32);
        let (width, height) = if is_turned(self.orientation) {
            (height, width)
        } else {
            (width, height)
        };
        RgbImage::from_raw(width, height, self.pixels).unwrap_or_default()
    }
}

/// Returns whether an orientation exchanges width and height.
fn is_turned(orientation: Orientation) -> bool {
    use Orientation::*;
    matches!(
        orientation,
        Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH
    )
}

fn reverse(to: &mut [[u8; 3]], from: &[[u8; 3]]) {
    for (to, from) in to.iter_mut().zip(from.iter().rev()) {
        *to = *from;
    }
}

/// Stores a column of an image of width `width`.
fn column<'a>(
    pixels: &mut [[u8; 3]],
    width: usize,
    column: usize,
    from: impl Iterator<Item = &'a [u8; 3]>,
) {
    for (to, from) in pixels[column..].iter_mut().step_by(width).zip(from) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use ::image::DynamicImage;

    use super::*;

    /// Every orientation, for sizes with sides of one pixel too, as `image` applies it.
    #[test]
    fn rows_are_stored_as_the_orientation_says() {
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            for (width, height) in [(1, 1), (1, 4), (5, 1), (3, 2), (4, 7)] {
                let samples: Vec<u8> = (0..width * height * 3).map(|i| i as u8).collect();
                let mut upright = Upright::new([width, height], orientation).unwrap();
                for rgb in samples.chunks_exact(3 * width as usize) {
                    upright.push_row(|row| row.copy_from_slice(rgb));
                }
                upright.push_row(|row| row.fill(9));
                let stored = RgbImage::from_raw(width, height, samples).unwrap();
                let mut expected = DynamicImage::ImageRgb8(stored);
                expected.apply_orientation(orientation);
                assert_eq!(upright.into_image(), expected.into_rgb8(), "{exif}");
            }
        }
    }

    #[test]
    fn the_memory_is_that_of_rgb_and_of_other_buffers() {
        assert!(check_memory([10, 20], 7, 607).is_ok());
        let error = check_memory([10, 20], 8, 607).unwrap_err();
        assert!(matches!(
            error,
            ImageError::TooManyPixels { bytes: 608, .. }
        ));
        assert!(check_memory([u32::MAX; 2], u64::MAX, u64::MAX - 1).is_err());
    }
}
