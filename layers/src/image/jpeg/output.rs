//! From decoded blocks to rows of RGB.
//!
//! A block becomes 8x8 samples, or fewer if the image is decoded at a part of its size. Components with lower
//! sampling factors then have larger blocks, so that they need no upsampling.
//!
//! The image is converted in bands of one row of minimum coded units. A plane holds the samples of a
//! component for one band, and two row groups of the band before: a row group has as many rows of each
//! component as its vertical sampling factor. Interpolation needs the row group after, so the last
//! row group of a band is converted with the next band.

use super::colour::ColourSpace;
use super::frame::{Component, Frame};
use super::idct::{inverse_dct, reduced_inverse_dct};
use super::scan::Block;
use super::upsample::{Ratio, Rows, upsample};
use crate::image::upright::Upright;

/// Row groups of the band before that a plane keeps.
const KEPT_GROUPS: usize = 2;
/// Samples of a component.
struct Plane {
    samples: Vec<u8>,
    stride: usize,
    /// Height and width of a block in samples.
    block: usize,
    /// Rows of blocks of a band.
    block_rows: usize,
    /// Rows of a row group.
    v: usize,
    ratio: Ratio,
    width: usize,
    height: usize,
}

impl Plane {
    /// Returns the plane of a component for an image of `side` eighths of the size of the frame.
    fn new(frame: &Frame, component: &Component, side: usize) -> Self {
        let (h, v) = (frame.max_h / component.h, frame.max_v / component.v);
        // The blocks are larger by a factor that both ratios contain.
        let fits = |factor: &usize| side * factor <= 8 && h % factor == 0 && v % factor == 0;
        let factor = [4, 2].into_iter().find(fits).unwrap_or(1);
        let block = side * factor;
        let stride = component.columns * block;
        let scaled = |length: usize, factor: usize, largest: usize| {
            (length * factor * block).div_ceil(8 * largest)
        };
        Self {
            samples: vec![0; stride * component.v * factor * (KEPT_GROUPS + side)],
            stride,
            block,
            block_rows: component.v,
            v: component.v * factor,
            ratio: Ratio {
                h: h / factor,
                v: v / factor,
            },
            width: scaled(frame.width, component.h, frame.max_h),
            height: scaled(frame.height, component.v, frame.max_v),
        }
    }

    /// Returns row `row` of the component while `band` is the current band. Rows outside the component
    /// are its first or last row.
    fn row(&self, band: usize, row: isize) -> &[u8] {
        let row = row.clamp(0, self.height as isize - 1) as usize;
        let index = row + KEPT_GROUPS * self.v - band * self.block_rows * self.block;
        &self.samples[index * self.stride..][..self.width]
    }

    /// Returns the rows that row `row` of the image depends on.
    fn rows(&self, band: usize, row: usize) -> Rows<'_> {
        let near = (row / self.ratio.v) as isize;
        let is_above = row.is_multiple_of(self.ratio.v);
        let far = if is_above { near - 1 } else { near + 1 };
        let near = self.row(band, near);
        Rows {
            near,
            far: match self.ratio.v {
                2 => self.row(band, far),
                _ => near,
            },
            is_above,
        }
    }
}

/// Conversion of decoded blocks to an upright image.
pub struct Output {
    planes: Vec<Plane>,
    colour_space: ColourSpace,
    /// Height of the image.
    height: usize,
    /// Rows of the image in a row group.
    max_v: usize,
    /// Row groups of a band: the height of a block of the components with the largest sampling factors.
    side: usize,
    bands: usize,
    /// An upsampled row of each component.
    upsampled: [Vec<u8>; 4],
    sums: Vec<u16>,
    image: Upright,
}

impl Output {
    /// Returns the conversion to `image`, which has `side` eighths of the size of the frame, rounded up.
    pub fn new(frame: &Frame, side: usize, colour_space: ColourSpace, image: Upright) -> Self {
        let planes = frame.components.iter();
        Self {
            planes: planes
                .map(|component| Plane::new(frame, component, side))
                .collect(),
            colour_space,
            height: (frame.height * side).div_ceil(8),
            max_v: frame.max_v,
            side,
            bands: frame.unit_rows,
            upsampled: Default::default(),
            sums: Vec::new(),
            image,
        }
    }

    /// Stores the samples of a block of the current band at `column` and `row`, in blocks; `row` counts
    /// from the beginning of the image. `last` is that of [`inverse_dct`].
    #[inline(always)]
    pub fn store(
        &mut self,
        component: usize,
        [column, row]: [usize; 2],
        block: &Block,
        quantization: &[u16; 64],
        last: usize,
    ) {
        let plane = &mut self.planes[component];
        let first_row = KEPT_GROUPS * plane.v + row % plane.block_rows * plane.block;
        let start = first_row * plane.stride + column * plane.block;
        let (samples, stride) = (&mut plane.samples[start..], plane.stride);
        match plane.block {
            8 => inverse_dct(block, quantization, last, samples, stride),
            4 => reduced_inverse_dct::<4>(block, quantization, samples, stride),
            2 => reduced_inverse_dct::<2>(block, quantization, samples, stride),
            _ => reduced_inverse_dct::<1>(block, quantization, samples, stride),
        }
    }

    /// Converts the current band, `band`, whose blocks have been stored.
    pub fn finish_band(&mut self, band: usize) {
        let end = (band + 1) * self.side;
        // The last row group of each band but the last waits for the next band.
        let first = (band * self.side).saturating_sub(1);
        let groups = if band + 1 == self.bands {
            first..self.height.div_ceil(self.max_v)
        } else {
            first..end - 1
        };
        for row in groups.start * self.max_v..(groups.end * self.max_v).min(self.height) {
            for (plane, upsampled) in self.planes.iter().zip(&mut self.upsampled) {
                let rows = plane.rows(band, row);
                upsample(rows, plane.ratio, &mut self.sums, upsampled);
            }
            let (colour_space, upsampled) = (self.colour_space, &self.upsampled);
            self.image
                .push_row(|rgb| colour_space.convert(upsampled, rgb));
        }
        for plane in &mut self.planes {
            let kept = plane.block_rows * plane.block * plane.stride;
            plane.samples.copy_within(kept.., 0);
        }
    }

    /// Returns the image.
    pub fn into_image(self) -> Upright {
        self.image
    }
}
