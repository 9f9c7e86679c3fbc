//! The frame header and the sizes that follow from it.

use super::error::JpegError;

/// A component of the image.
pub struct Component {
    /// Identifier, by which scans name the component.
    pub id: u8,
    /// Horizontal sampling factor.
    pub h: usize,
    /// Vertical sampling factor.
    pub v: usize,
    /// Number of the quantization table.
    pub table: u8,
    /// Width in samples.
    pub width: usize,
    /// Height in samples.
    pub height: usize,
    /// Blocks in a row, with those that complete the last minimum coded unit.
    pub columns: usize,
    /// Rows of blocks, with those that complete the last minimum coded unit.
    pub rows: usize,
}

/// The frame header (ITU-T T.81, section B.2.2) and the sizes that follow from it (section A.1.1).
pub struct Frame {
    /// Whether the coding process is progressive, else sequential.
    pub progressive: bool,
    /// Width of the image in pixels.
    pub width: usize,
    /// Height of the image in pixels.
    pub height: usize,
    /// Largest horizontal sampling factor.
    pub max_h: usize,
    /// Largest vertical sampling factor.
    pub max_v: usize,
    /// Minimum coded units in a row of an interleaved scan.
    pub unit_columns: usize,
    /// Rows of minimum coded units of an interleaved scan.
    pub unit_rows: usize,
    /// The components: one, three or four.
    pub components: Vec<Component>,
}

impl Frame {
    /// Reads the frame header after the marker `marker`.
    pub fn parse(marker: u8, segment: &[u8]) -> Result<Self, JpegError> {
        let unsupported = |what: &str| JpegError::Unsupported(what.to_owned());
        let invalid = |reason: String| JpegError::Segment {
            segment: "frame header",
            reason,
        };
        match marker {
            0xc0..=0xc2 => {}
            0xc3 => return Err(unsupported("lossless JPEG is")),
            0xc9 | 0xca => return Err(unsupported("arithmetic coding is")),
            0xcb => return Err(unsupported("lossless JPEG with arithmetic coding is")),
            0xf7 => return Err(unsupported("JPEG-LS is")),
            _ => return Err(unsupported("hierarchical JPEG is")),
        }
        let Some((&[bits, y1, y0, x1, x0, count], components)) = segment.split_first_chunk() else {
            return Err(invalid(format!("it has {} bytes", segment.len())));
        };
        if bits != 8 {
            return Err(unsupported(&format!("samples of {bits} bits are")));
        }
        if !matches!(count, 1 | 3 | 4) {
            return Err(unsupported(&format!(
                "an image of {count} components, expected 1, 3 or 4, is"
            )));
        }
        let (components, rest) = components.as_chunks::<3>();
        if components.len() != usize::from(count) || !rest.is_empty() {
            return Err(invalid(format!("it has not {count} components")));
        }
        let (width, height) = (u16::from_be_bytes([x1, x0]), u16::from_be_bytes([y1, y0]));
        if width == 0 || height == 0 {
            return Err(invalid(format!(
                "the image has {width}x{height} pixels, expected at least 1x1"
            )));
        }

        let mut factors = Vec::new();
        for &[_, factor, _] in components {
            let (h, v) = (usize::from(factor >> 4), usize::from(factor & 15));
            if !(1..=4).contains(&h) || !(1..=4).contains(&v) {
                return Err(invalid(format!(
                    "a sampling factor is {h}x{v}, expected 1 to 4"
                )));
            }
            // A single component is never subsampled: its factors have no meaning.
            factors.push(if count == 1 { (1, 1) } else { (h, v) });
        }
        let max_h = factors.iter().fold(1, |max, &(h, _)| max.max(h));
        let max_v = factors.iter().fold(1, |max, &(_, v)| max.max(v));
        if let Some((h, v)) = factors
            .iter()
            .find(|(h, v)| max_h % h != 0 || max_v % v != 0)
        {
            return Err(unsupported(&format!(
                "a component of sampling factors {h}x{v} beside one of {max_h}x{max_v} is"
            )));
        }

        let (width, height) = (usize::from(width), usize::from(height));
        let (unit_columns, unit_rows) = (width.div_ceil(8 * max_h), height.div_ceil(8 * max_v));
        let components = components
            .iter()
            .zip(factors)
            .map(|(&[id, _, table], (h, v))| Component {
                id,
                h,
                v,
                table,
                width: (width * h).div_ceil(max_h),
                height: (height * v).div_ceil(max_v),
                columns: unit_columns * h,
                rows: unit_rows * v,
            })
            .collect();
        Ok(Self {
            progressive: marker == 0xc2,
            width,
            height,
            max_h,
            max_v,
            unit_columns,
            unit_rows,
            components,
        })
    }

    /// Returns the number of blocks of all components.
    pub fn blocks(&self) -> usize {
        self.components
            .iter()
            .map(|component| component.columns * component.rows)
            .sum()
    }
}
