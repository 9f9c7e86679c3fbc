//! JPEG decoder (ITU-T T.81), bit-identical to libjpeg-turbo's accurate transform and interpolated
//! upsampling, which Pillow uses.
//!
//! The decoder reads sequential and progressive images with Huffman coding and samples of 8 bits: all
//! sampling factors that divide the largest one, all orders of scans, restart markers, and the colour
//! spaces grey, RGB, YCbCr, CMYK and YCCK. Other files are an error: arithmetic coding, lossless and
//! hierarchical images, and files that are cut or damaged. A progressive file without its last scans is
//! decoded without libjpeg's smoothing of blocks.

mod bits;
mod colour;
mod error;
mod frame;
mod huffman;
mod idct;
mod output;
mod progressive;
mod scan;
mod tables;
mod upsample;

use ::image::RgbImage;
use ::image::metadata::Orientation;

use self::bits::{BitReader, find_marker};
use self::colour::ColourSpace;
use self::error::{Damage, JpegError};
use self::frame::Frame;
use self::huffman::HuffmanTable;
use self::output::Output;
use self::scan::{Block, DecodeBlocks, Position, Scan, State, decode_blocks, sequential};
use self::tables::Tables;
use super::error::ImageError;
use super::upright::{Upright, check_memory, filled};

impl From<JpegError> for ImageError {
    fn from(error: JpegError) -> Self {
        Self::Undecodable {
            format: "JPEG".to_owned(),
            reason: error.to_string(),
        }
    }
}

/// Decodes a JPEG file and applies `orientation`. The pixels, and the coefficients of an image whose
/// components are in several scans, take at most `limit` bytes.
///
/// With `shorter`, the image is decoded at 1/2, 1/4 or 1/8 of its size if its shorter side then has at least
/// `shorter` pixels.
pub fn decode(
    bytes: &[u8],
    orientation: Orientation,
    limit: u64,
    shorter: Option<usize>,
) -> Result<RgbImage, ImageError> {
    let mut tables = Tables::default();
    let mut image: Option<Image> = None;
    let mut position = 0;
    loop {
        let cut = JpegError::Cut(bytes.len());
        let Some((marker, after)) = find_marker(bytes, position) else {
            return Err(cut.into());
        };
        position = after;
        match marker {
            // End of image.
            0xd9 => break,
            // Start of image, restarts and TEM have no length.
            0xd8 | 0xd0..=0xd7 | 0x01 => continue,
            _ => {}
        }
        let length = bytes[position..].first_chunk();
        let Some(length) = length.map(|&length| usize::from(u16::from_be_bytes(length))) else {
            return Err(cut.into());
        };
        let Some(segment) = bytes.get(position + 2..position + length.max(2)) else {
            return Err(cut.into());
        };
        position += length.max(2);
        match (marker, &mut image) {
            (0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xde | 0xf7, None) => {
                let frame = Frame::parse(marker, segment)?;
                image = Some(Image::new(frame, orientation, limit, shorter));
            }
            (0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf, Some(_)) => {
                return Err(JpegError::Segment {
                    segment: "frame header",
                    reason: "it is the second one".to_owned(),
                }
                .into());
            }
            (0xda, Some(image)) => {
                let mut reader = BitReader::new(bytes, position);
                image.decode_scan(&tables, segment, &mut reader)?;
                position = reader.position();
            }
            (0xda, None) => {
                return Err(JpegError::Segment {
                    segment: "scan header",
                    reason: "no frame header is before it".to_owned(),
                }
                .into());
            }
            _ => tables.read(marker, segment)?,
        }
    }
    match image {
        Some(image) => image.finish(&tables),
        None => Err(JpegError::NoScan.into()),
    }
}

/// An image that is being decoded.
struct Image {
    frame: Frame,
    /// Eighths of the size of the frame: 8, 4, 2 or 1.
    side: usize,
    orientation: Orientation,
    limit: u64,
    /// Quantization table of each component, when its first scan began.
    quantization: Vec<Option<[u16; 64]>>,
    /// Number of scans so far.
    scans: usize,
    progress: Progress,
}

/// Decoded part of the image.
enum Progress {
    /// Nothing.
    None,
    /// Coefficients of each component.
    Coefficients(Vec<Vec<Block>>),
    /// All pixels.
    Pixels(Upright),
}

impl Image {
    fn new(frame: Frame, orientation: Orientation, limit: u64, shorter: Option<usize>) -> Self {
        let length = frame.width.min(frame.height);
        let is_covered = |side: &usize| {
            shorter.is_some_and(|shorter| (length * side).div_ceil(8) >= shorter.max(1))
        };
        Self {
            quantization: vec![None; frame.components.len()],
            side: [1, 2, 4].into_iter().find(is_covered).unwrap_or(8),
            frame,
            orientation,
            limit,
            scans: 0,
            progress: Progress::None,
        }
    }

    /// Decodes the scan whose header is `segment`. Scans of a finished image are ignored.
    fn decode_scan(
        &mut self,
        tables: &Tables,
        segment: &[u8],
        reader: &mut BitReader<'_>,
    ) -> Result<(), ImageError> {
        if matches!(self.progress, Progress::Pixels(_)) {
            return Ok(());
        }
        self.scans += 1;
        let frame = &self.frame;
        let scan = Scan::parse(frame, segment)?;
        for component in &scan.components {
            let quantization = &mut self.quantization[component.index];
            if quantization.is_none() {
                let table = frame.components[component.index].table;
                *quantization = Some(*tables.quantization(table)?);
            }
        }
        let is_whole = !frame.progressive && scan.components.len() == frame.components.len();
        if is_whole && matches!(self.progress, Progress::None) {
            let image = self.upright()?;
            let output = Output::new(&self.frame, self.side, self.colour_space(tables), image);
            let mut decoder = Streamed {
                components: self.sequential_components(tables, &scan)?,
                output,
            };
            self.run(tables, &scan, reader, &mut decoder)?;
            self.progress = Progress::Pixels(decoder.output.into_image());
            return Ok(());
        }

        let mut coefficients = match std::mem::replace(&mut self.progress, Progress::None) {
            Progress::Coefficients(coefficients) => coefficients,
            _ => self.coefficients()?,
        };
        if self.frame.progressive {
            let mut decoder = Progressive {
                tables: self.progressive_tables(tables, &scan)?,
                scan: &scan,
                frame: &self.frame,
                coefficients: &mut coefficients,
            };
            self.run(tables, &scan, reader, &mut decoder)?;
        } else {
            let mut decoder = Stored {
                components: self.sequential_components(tables, &scan)?,
                frame: &self.frame,
                coefficients: &mut coefficients,
            };
            self.run(tables, &scan, reader, &mut decoder)?;
        }
        self.progress = Progress::Coefficients(coefficients);
        Ok(())
    }

    /// Decodes the blocks of a scan.
    fn run(
        &self,
        tables: &Tables,
        scan: &Scan,
        reader: &mut BitReader<'_>,
        decoder: &mut impl DecodeBlocks,
    ) -> Result<(), JpegError> {
        decode_blocks(&self.frame, scan, tables.restart_interval, reader, decoder).map_err(
            |reason| {
                let scan = self.scans;
                let cut = reader.end_of_file().map(JpegError::Cut);
                cut.unwrap_or(JpegError::Damaged { scan, reason })
            },
        )
    }

    /// Returns width and height of the decoded image.
    fn size(&self) -> [u32; 2] {
        [self.frame.width, self.frame.height].map(|length| (length * self.side).div_ceil(8) as u32)
    }

    /// Returns the image to be filled, if it is within the limit.
    fn upright(&self) -> Result<Upright, ImageError> {
        let size = self.size();
        check_memory(size, 0, self.limit)?;
        Upright::new(size, self.orientation)
    }

    /// Returns zeros for the coefficients of each component, if they and the pixels are within the
    /// limit.
    fn coefficients(&self) -> Result<Vec<Vec<Block>>, ImageError> {
        let size = self.size();
        let bytes = self.frame.blocks() as u64 * size_of::<Block>() as u64;
        check_memory(size, bytes, self.limit)?;
        let components = self.frame.components.iter();
        components
            .map(|component| filled(component.columns * component.rows, [0; 64]))
            .collect()
    }

    fn colour_space(&self, tables: &Tables) -> ColourSpace {
        let ids: Vec<u8> = self.frame.components.iter().map(|found| found.id).collect();
        ColourSpace::new(&ids, tables.is_jfif, tables.adobe)
    }

    /// Returns the tables of each component of a sequential scan.
    fn sequential_components<'a>(
        &self,
        tables: &'a Tables,
        scan: &Scan,
    ) -> Result<Vec<SequentialComponent<'a>>, JpegError> {
        let components = scan.components.iter().map(|component| {
            Ok(SequentialComponent {
                index: component.index,
                dc: tables.dc(component.dc)?,
                ac: tables.ac(component.ac)?,
                quantization: self.quantization[component.index].unwrap_or([0; 64]),
            })
        });
        components.collect()
    }

    /// Returns the table of each component of a progressive scan. A scan that refines DC coefficients
    /// has none.
    fn progressive_tables<'a>(
        &self,
        tables: &'a Tables,
        scan: &Scan,
    ) -> Result<Vec<Option<&'a HuffmanTable>>, JpegError> {
        let components = scan.components.iter().map(|component| {
            Ok(match (scan.first, scan.high) {
                (0, 0) => Some(tables.dc(component.dc)?),
                (0, _) => None,
                _ => Some(tables.ac(component.ac)?),
            })
        });
        components.collect()
    }

    /// Returns the image after the last scan.
    fn finish(self, tables: &Tables) -> Result<RgbImage, ImageError> {
        let coefficients = match self.progress {
            Progress::Pixels(image) => return Ok(image.into_image()),
            Progress::None => return Err(JpegError::NoScan.into()),
            Progress::Coefficients(ref coefficients) => coefficients,
        };
        let mut quantization = Vec::new();
        for (component, table) in self.frame.components.iter().zip(&self.quantization) {
            quantization.push(table.ok_or(JpegError::MissingComponent(component.id))?);
        }
        let mut output = Output::new(
            &self.frame,
            self.side,
            self.colour_space(tables),
            self.upright()?,
        );
        for band in 0..self.frame.unit_rows {
            for (index, component) in self.frame.components.iter().enumerate() {
                let rows = band * component.v..(band + 1) * component.v;
                for row in rows {
                    let start = row * component.columns;
                    let blocks = &coefficients[index][start..start + component.columns];
                    for (column, block) in blocks.iter().enumerate() {
                        let last = match block[1..].iter().any(|&coefficient| coefficient != 0) {
                            true => 63,
                            false => 0,
                        };
                        output.store(index, [column, row], block, &quantization[index], last);
                    }
                }
            }
            output.finish_band(band);
        }
        Ok(output.into_image().into_image())
    }
}

/// A component of a sequential scan.
struct SequentialComponent<'a> {
    /// Index in the frame.
    index: usize,
    dc: &'a HuffmanTable,
    ac: &'a HuffmanTable,
    quantization: [u16; 64],
}

/// Decodes the only scan of a sequential image to pixels, without storing its coefficients.
struct Streamed<'a> {
    components: Vec<SequentialComponent<'a>>,
    output: Output,
}

impl DecodeBlocks for Streamed<'_> {
    #[inline(always)]
    fn block(
        &mut self,
        reader: &mut BitReader<'_>,
        state: &mut State,
        position: Position,
    ) -> Result<(), Damage> {
        let component = &self.components[position.component];
        let prediction = &mut state.predictions[position.component];
        let mut block = [0; 64];
        let last = sequential(&mut block, reader, component.dc, component.ac, prediction)?;
        let place = [position.column, position.row];
        let quantization = &component.quantization;
        self.output
            .store(component.index, place, &block, quantization, last);
        Ok(())
    }

    fn end_row(&mut self, row: usize) {
        self.output.finish_band(row);
    }
}

/// Decodes one of several scans of a sequential image.
struct Stored<'a> {
    components: Vec<SequentialComponent<'a>>,
    frame: &'a Frame,
    coefficients: &'a mut [Vec<Block>],
}

impl DecodeBlocks for Stored<'_> {
    fn block(
        &mut self,
        reader: &mut BitReader<'_>,
        state: &mut State,
        position: Position,
    ) -> Result<(), Damage> {
        let component = &self.components[position.component];
        let prediction = &mut state.predictions[position.component];
        let columns = self.frame.components[component.index].columns;
        let index = position.row * columns + position.column;
        let block = &mut self.coefficients[component.index][index];
        *block = [0; 64];
        sequential(block, reader, component.dc, component.ac, prediction)?;
        Ok(())
    }
}

/// Decodes a scan of a progressive image.
struct Progressive<'a> {
    tables: Vec<Option<&'a HuffmanTable>>,
    scan: &'a Scan,
    frame: &'a Frame,
    coefficients: &'a mut [Vec<Block>],
}

impl DecodeBlocks for Progressive<'_> {
    #[inline(always)]
    fn block(
        &mut self,
        reader: &mut BitReader<'_>,
        state: &mut State,
        position: Position,
    ) -> Result<(), Damage> {
        let scan = self.scan;
        let component = scan.components[position.component].index;
        let columns = self.frame.components[component].columns;
        let index = position.row * columns + position.column;
        let block = &mut self.coefficients[component][index];
        let run = &mut state.end_of_band_run;
        match self.tables[position.component] {
            None => progressive::refine_dc(block, reader, scan.low),
            Some(table) if scan.first == 0 => {
                let prediction = &mut state.predictions[position.component];
                progressive::first_dc(block, reader, table, prediction, scan.low)?;
            }
            Some(table) if scan.high == 0 => {
                progressive::first_ac(block, reader, table, scan, run)?;
            }
            Some(table) => progressive::refine_ac(block, reader, table, scan, run)?,
        }
        Ok(())
    }
}
