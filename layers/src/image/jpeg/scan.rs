//! The order of the blocks of a scan, and the sequential decoding of a block.

use super::bits::BitReader;
use super::error::{Damage, JpegError};
use super::frame::Frame;
use super::huffman::HuffmanTable;

/// Coefficients of a block of 8x8 samples, in row-major order, before the dequantization.
pub type Block = [i16; 64];

/// Position in a block, in row-major order, of each coefficient in zigzag order (ITU-T T.81, figure A.6).
#[rustfmt::skip]
pub const ZIGZAG: [u8; 64] = [
     0,  1,  8, 16,  9,  2,  3, 10,
    17, 24, 32, 25, 18, 11,  4,  5,
    12, 19, 26, 33, 40, 48, 41, 34,
    27, 20, 13,  6,  7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36,
    29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46,
    53, 60, 61, 54, 47, 55, 62, 63,
];

/// The scan header (ITU-T T.81, section B.2.3).
pub struct Scan {
    /// The components of the scan.
    pub components: Vec<ScanComponent>,
    /// First coefficient in zigzag order.
    pub first: usize,
    /// Last coefficient in zigzag order.
    pub last: usize,
    /// Number of the bit that an earlier scan has decoded (successive approximation), or 0.
    pub high: u8,
    /// Number of the lowest bit of this scan.
    pub low: u8,
}

/// A component of a scan.
pub struct ScanComponent {
    /// Index in [`Frame::components`].
    pub index: usize,
    /// Number of the Huffman table of the DC coefficient.
    pub dc: u8,
    /// Number of the Huffman table of the AC coefficients.
    pub ac: u8,
}

impl Scan {
    /// Reads the scan header.
    pub fn parse(frame: &Frame, segment: &[u8]) -> Result<Self, JpegError> {
        let invalid = |reason: String| JpegError::Segment {
            segment: "scan header",
            reason,
        };
        let count = usize::from(segment.first().copied().unwrap_or_default());
        if !(1..=4).contains(&count) || segment.len() != 4 + 2 * count {
            return Err(invalid(format!(
                "it has {} bytes for {count} components",
                segment.len()
            )));
        }
        let mut components: Vec<ScanComponent> = Vec::new();
        for &[id, tables] in segment[1..].as_chunks().0.iter().take(count) {
            let Some(index) = frame.components.iter().position(|found| found.id == id) else {
                return Err(invalid(format!("the image has no component {id}")));
            };
            if components.iter().any(|found| found.index == index) {
                return Err(invalid(format!("component {id} is listed twice")));
            }
            let (dc, ac) = (tables >> 4, tables & 15);
            if dc > 3 || ac > 3 {
                return Err(invalid(format!("component {id} uses tables {dc} and {ac}")));
            }
            components.push(ScanComponent { index, dc, ac });
        }
        let [first, last, approximation] = segment[segment.len() - 3..] else {
            return Err(invalid("it is too short".to_owned()));
        };
        let scan = Self {
            components,
            first: usize::from(first),
            last: usize::from(last),
            high: approximation >> 4,
            low: approximation & 15,
        };
        // A sequential scan contains all coefficients and all bits, whatever the header says.
        let valid = !frame.progressive
            || scan.low <= 13
                && (scan.high == 0 || scan.high == scan.low + 1)
                && match first {
                    0 => last == 0,
                    _ => first <= last && last < 64 && count == 1,
                };
        if !valid {
            return Err(invalid(format!(
                "coefficients {first} to {last} and bits {} to {} of {count} components",
                scan.high, scan.low
            )));
        }
        Ok(scan)
    }
}

/// State of the entropy decoder, which a restart resets.
#[derive(Default)]
pub struct State {
    /// Prediction of the DC coefficient, for each component of the scan.
    pub predictions: [i32; 4],
    /// Number of blocks to come that have no more coefficients in the band.
    pub end_of_band_run: u32,
}

/// Position of a block.
#[derive(Clone, Copy)]
pub struct Position {
    /// Index of the component in the scan.
    pub component: usize,
    /// Column, in blocks.
    pub column: usize,
    /// Row, in blocks.
    pub row: usize,
}

/// Decoding of the blocks of a scan.
pub trait DecodeBlocks {
    /// Decodes the block at `position`.
    fn block(
        &mut self,
        reader: &mut BitReader<'_>,
        state: &mut State,
        position: Position,
    ) -> Result<(), Damage>;

    /// Is called after each row of minimum coded units, with its index.
    fn end_row(&mut self, _row: usize) {}
}

/// Decodes the blocks of a scan in their order (ITU-T T.81, section A.2). A `restart_interval` of 0 means
/// that there are no restart markers.
pub fn decode_blocks(
    frame: &Frame,
    scan: &Scan,
    restart_interval: usize,
    reader: &mut BitReader<'_>,
    decoder: &mut impl DecodeBlocks,
) -> Result<(), Damage> {
    let mut state = State::default();
    // A scan of one component has a minimum coded unit of one block, and no blocks outside the image.
    let single = match scan.components[..] {
        [ScanComponent { index, .. }] => Some(&frame.components[index]),
        _ => None,
    };
    let (columns, rows) = match single {
        Some(component) => (component.width.div_ceil(8), component.height.div_ceil(8)),
        None => (frame.unit_columns, frame.unit_rows),
    };
    let mut until_restart = restart_interval;
    let mut expected = 0;
    for unit_row in 0..rows {
        for unit_column in 0..columns {
            if restart_interval > 0 {
                if until_restart == 0 {
                    reader.restart(expected)?;
                    expected = (expected + 1) % 8;
                    state = State::default();
                    until_restart = restart_interval;
                }
                until_restart -= 1;
            }
            if single.is_some() {
                let position = Position {
                    component: 0,
                    column: unit_column,
                    row: unit_row,
                };
                decoder.block(reader, &mut state, position)?;
            } else {
                for (component, of_scan) in scan.components.iter().enumerate() {
                    let of_frame = &frame.components[of_scan.index];
                    for v in 0..of_frame.v {
                        for h in 0..of_frame.h {
                            let position = Position {
                                component,
                                column: unit_column * of_frame.h + h,
                                row: unit_row * of_frame.v + v,
                            };
                            decoder.block(reader, &mut state, position)?;
                        }
                    }
                }
            }
            reader.check()?;
        }
        decoder.end_row(unit_row);
    }
    Ok(())
}

/// Decodes a block of a sequential scan (ITU-T T.81, section F.2.2) into zeros. Returns the index in
/// zigzag order of the last coefficient that is not zero, or 0.
#[inline(always)]
pub fn sequential(
    block: &mut Block,
    reader: &mut BitReader<'_>,
    dc: &HuffmanTable,
    ac: &HuffmanTable,
    prediction: &mut i32,
) -> Result<usize, Damage> {
    let mut local = *reader;
    let last = sequential_coefficients(block, &mut local, dc, ac, prediction);
    *reader = local;
    last
}

#[inline(always)]
fn sequential_coefficients(
    block: &mut Block,
    reader: &mut BitReader<'_>,
    dc: &HuffmanTable,
    ac: &HuffmanTable,
    prediction: &mut i32,
) -> Result<usize, Damage> {
    reader.refill();
    let category = dc.symbol(reader)?;
    if category > 15 {
        return Err(Damage::Code);
    }
    *prediction = prediction.wrapping_add(reader.magnitude(u32::from(category)));
    block[0] = *prediction as i16;

    let mut last = 0;
    let mut index = 1;
    while index < 64 {
        reader.refill();
        if let Some((run, value)) = ac.coefficient(reader) {
            index += run;
            let &position = ZIGZAG.get(index).ok_or(Damage::Overflow)?;
            block[usize::from(position & 63)] = value;
            last = index;
            index += 1;
            continue;
        }
        let symbol = ac.symbol(reader)?;
        let (run, category) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        match (run, category) {
            (0, 0) => break,
            (15, 0) => index += 16,
            (_, 0) => return Err(Damage::Code),
            _ => {
                index += run;
                let &position = ZIGZAG.get(index).ok_or(Damage::Overflow)?;
                block[usize::from(position & 63)] = reader.magnitude(category) as i16;
                last = index;
                index += 1;
            }
        }
    }
    Ok(last)
}
