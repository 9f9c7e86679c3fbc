//! From decoded blocks to rows of RGB.
//!
//! The image is converted in bands of one row of minimum coded units. A plane holds the samples of a
//! component for one band, and two row groups of the band before: a row group has as many rows of each
//! component as its vertical sampling factor. Interpolation needs the row group after, so the last
//! row group of a band is converted with the next band.

use super::colour::ColourSpace;
use super::frame::{Component, Frame};
use super::idct::inverse_dct;
use super::scan::Block;
use super::upsample::{Ratio, Rows, upsample};
use crate::image::upright::Upright;

/// Row groups of the band before that a plane keeps.
const KEPT_GROUPS: usize = 2;
/// Row groups of a band.
const BAND_GROUPS: usize = 8;

/// Samples of a component.
struct Plane {
    samples: Vec<u8>,
    stride: usize,
    /// Rows of a row group.
    v: usize,
    ratio: Ratio,
    width: usize,
    height: usize,
}

impl Plane {
    fn new(frame: &Frame, component: &Component) -> Self {
        let stride = component.columns * 8;
        Self {
            samples: vec![0; stride * component.v * (KEPT_GROUPS + BAND_GROUPS)],
            stride,
            v: component.v,
            ratio: Ratio {
                h: frame.max_h / component.h,
                v: frame.max_v / component.v,
            },
            width: component.width,
            height: component.height,
        }
    }

    /// Returns row `row` of the component while `band` is the current band. Rows outside the component
    /// are its first or last row.
    fn row(&self, band: usize, row: isize) -> &[u8] {
        let row = row.clamp(0, self.height as isize - 1) as usize;
        let index = row + KEPT_GROUPS * self.v - band * BAND_GROUPS * self.v;
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
    bands: usize,
    /// An upsampled row of each component.
    upsampled: [Vec<u8>; 4],
    sums: Vec<u16>,
    image: Upright,
}

impl Output {
    /// Returns the conversion to `image`, which has the size of the frame.
    pub fn new(frame: &Frame, colour_space: ColourSpace, image: Upright) -> Self {
        let planes = frame.components.iter();
        Self {
            planes: planes
                .map(|component| Plane::new(frame, component))
                .collect(),
            colour_space,
            height: frame.height,
            max_v: frame.max_v,
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
        let first_row = KEPT_GROUPS * plane.v + row % plane.v * 8;
        let start = first_row * plane.stride + column * 8;
        let samples = &mut plane.samples[start..];
        inverse_dct(block, quantization, last, samples, plane.stride);
    }

    /// Converts the current band, `band`, whose blocks have been stored.
    pub fn finish_band(&mut self, band: usize) {
        let end = (band + 1) * BAND_GROUPS;
        // The last row group of each band but the last waits for the next band.
        let first = (band * BAND_GROUPS).saturating_sub(1);
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
            let kept = BAND_GROUPS * plane.v * plane.stride;
            plane.samples.copy_within(kept.., 0);
        }
    }

    /// Returns the image.
    pub fn into_image(self) -> Upright {
        self.image
    }
}
