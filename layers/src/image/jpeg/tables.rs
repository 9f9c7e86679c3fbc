//! The tables that marker segments define for the scans after them.

use super::error::JpegError;
use super::huffman::HuffmanTable;
use super::scan::ZIGZAG;

/// The tables that marker segments define for the scans after them (ITU-T T.81, section B.2.4), and what
/// the application segments say about the colours.
#[derive(Default)]
pub struct Tables {
    /// Quantization tables, in row-major order.
    quantization: [Option<[u16; 64]>; 4],
    /// Huffman tables of DC and of AC coefficients.
    huffman: [[Option<HuffmanTable>; 4]; 2],
    /// Number of minimum coded units between restart markers, or 0.
    pub restart_interval: usize,
    /// Whether there is a JFIF segment (ITU-T T.871).
    pub is_jfif: bool,
    /// Colour transform of Adobe's segment.
    pub adobe: Option<u8>,
}

impl Tables {
    /// Reads a segment after the marker `marker`. Other segments than those of tables and colours are
    /// ignored.
    pub fn read(&mut self, marker: u8, segment: &[u8]) -> Result<(), JpegError> {
        match marker {
            0xdb => self.define_quantization(segment),
            0xc4 => self.define_huffman(segment),
            0xdd => match *segment {
                [high, low] => {
                    self.restart_interval = usize::from(u16::from_be_bytes([high, low]));
                    Ok(())
                }
                _ => Err(invalid("restart interval", segment.len())),
            },
            0xe0 => {
                self.is_jfif |= segment.starts_with(b"JFIF\0");
                Ok(())
            }
            0xee if segment.starts_with(b"Adobe") => {
                self.adobe = segment.get(11).copied().or(self.adobe);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn define_quantization(&mut self, mut segment: &[u8]) -> Result<(), JpegError> {
        const NAME: &str = "quantization table";
        let length = segment.len();
        while let Some((&head, rest)) = segment.split_first() {
            let bytes = match head >> 4 {
                0 => 1,
                1 => 2,
                _ => return Err(invalid(NAME, length)),
            };
            let (Some((steps, rest)), Some(table)) = (
                rest.split_at_checked(64 * bytes),
                self.quantization.get_mut(usize::from(head & 15)),
            ) else {
                return Err(invalid(NAME, length));
            };
            let mut values = [0; 64];
            for (step, position) in steps.chunks_exact(bytes).zip(ZIGZAG) {
                let step = step
                    .iter()
                    .fold(0, |step, &byte| step << 8 | u16::from(byte));
                values[usize::from(position)] = step;
            }
            *table = Some(values);
            segment = rest;
        }
        Ok(())
    }

    fn define_huffman(&mut self, mut segment: &[u8]) -> Result<(), JpegError> {
        let error = invalid("Huffman table", segment.len());
        while let Some((&head, rest)) = segment.split_first() {
            let Some((counts, rest)) = rest.split_first_chunk::<16>() else {
                return Err(error);
            };
            let count = counts.iter().map(|&count| usize::from(count)).sum();
            let class = self.huffman.get_mut(usize::from(head >> 4));
            let table = class.and_then(|class| class.get_mut(usize::from(head & 15)));
            let (Some((values, rest)), Some(table)) = (rest.split_at_checked(count), table) else {
                return Err(error);
            };
            *table = Some(HuffmanTable::new(counts, values).ok_or(error_of_codes())?);
            segment = rest;
        }
        Ok(())
    }

    /// Returns quantization table `index`.
    pub fn quantization(&self, index: u8) -> Result<&[u16; 64], JpegError> {
        let table = self.quantization.get(usize::from(index));
        let missing = JpegError::MissingTable {
            table: "quantization",
            index,
        };
        table.and_then(Option::as_ref).ok_or(missing)
    }

    /// Returns Huffman table `index` of DC coefficients.
    pub fn dc(&self, index: u8) -> Result<&HuffmanTable, JpegError> {
        self.huffman_table(0, "DC Huffman", index)
    }

    /// Returns Huffman table `index` of AC coefficients.
    pub fn ac(&self, index: u8) -> Result<&HuffmanTable, JpegError> {
        self.huffman_table(1, "AC Huffman", index)
    }

    fn huffman_table(
        &self,
        class: usize,
        table: &'static str,
        index: u8,
    ) -> Result<&HuffmanTable, JpegError> {
        let missing = JpegError::MissingTable { table, index };
        let found = self.huffman[class].get(usize::from(index));
        found.and_then(Option::as_ref).ok_or(missing)
    }
}

fn invalid(segment: &'static str, length: usize) -> JpegError {
    JpegError::Segment {
        segment,
        reason: format!("its {length} bytes are not whole tables"),
    }
}

fn error_of_codes() -> JpegError {
    JpegError::Segment {
        segment: "Huffman table",
        reason: "its code lengths are not those of a prefix code".to_owned(),
    }
}
