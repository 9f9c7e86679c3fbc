//! Progressive decoding of a block (ITU-T T.81, annex G).

use super::bits::BitReader;
use super::error::Damage;
use super::huffman::HuffmanTable;
use super::scan::{Block, Scan, ZIGZAG};

/// Decodes the first bits of the DC coefficient.
pub fn first_dc(
    block: &mut Block,
    reader: &mut BitReader<'_>,
    table: &HuffmanTable,
    prediction: &mut i32,
    low: u8,
) -> Result<(), Damage> {
    reader.refill();
    let category = table.symbol(reader)?;
    if category > 15 {
        return Err(Damage::Code);
    }
    *prediction = prediction.wrapping_add(reader.magnitude(u32::from(category)));
    block[0] = (*prediction << low) as i16;
    Ok(())
}

/// Decodes another bit of the DC coefficient.
pub fn refine_dc(block: &mut Block, reader: &mut BitReader<'_>, low: u8) {
    if reader.bit() {
        block[0] |= 1 << low;
    }
}

/// Decodes the first bits of the AC coefficients of the scan's band.
pub fn first_ac(
    block: &mut Block,
    reader: &mut BitReader<'_>,
    table: &HuffmanTable,
    scan: &Scan,
    end_of_band_run: &mut u32,
) -> Result<(), Damage> {
    if *end_of_band_run > 0 {
        *end_of_band_run -= 1;
        return Ok(());
    }
    let mut index = scan.first;
    while index <= scan.last {
        reader.refill();
        let symbol = table.symbol(reader)?;
        let (run, category) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        match (run, category) {
            (15, 0) => index += 16,
            (_, 0) => {
                // The run includes this block.
                *end_of_band_run = run_length(reader, run) - 1;
                break;
            }
            _ => {
                index += run;
                let &position = ZIGZAG.get(index).ok_or(Damage::Overflow)?;
                let value = reader.magnitude(category) << scan.low;
                block[usize::from(position & 63)] = value as i16;
                index += 1;
            }
        }
    }
    Ok(())
}

/// Decodes another bit of the AC coefficients of the scan's band: a correction bit of each coefficient
/// that is not zero, and the coefficients that become 1 or -1 at this bit.
pub fn refine_ac(
    block: &mut Block,
    reader: &mut BitReader<'_>,
    table: &HuffmanTable,
    scan: &Scan,
    end_of_band_run: &mut u32,
) -> Result<(), Damage> {
    let bit = 1_i16 << scan.low;
    let mut index = scan.first;
    if *end_of_band_run == 0 {
        while index <= scan.last {
            reader.refill();
            let symbol = table.symbol(reader)?;
            let (run, category) = (usize::from(symbol >> 4), symbol & 15);
            let value = match (run, category) {
                (15, 0) => 0,
                (_, 0) => {
                    *end_of_band_run = run_length(reader, run);
                    break;
                }
                (_, 1) if reader.bit() => bit,
                (_, 1) => -bit,
                _ => return Err(Damage::Code),
            };
            // The new coefficient is after `run` zeros; coefficients that are not zero are not counted.
            let mut zeros = run;
            while index <= scan.last {
                let coefficient = &mut block[usize::from(ZIGZAG[index])];
                index += 1;
                if *coefficient != 0 {
                    correct(coefficient, reader, bit);
                } else if zeros == 0 {
                    *coefficient = value;
                    break;
                } else {
                    zeros -= 1;
                }
            }
        }
    }
    if *end_of_band_run > 0 {
        for &position in ZIGZAG.iter().take(scan.last + 1).skip(index) {
            let coefficient = &mut block[usize::from(position)];
            if *coefficient != 0 {
                correct(coefficient, reader, bit);
            }
        }
        *end_of_band_run -= 1;
    }
    Ok(())
}

/// Returns the number of blocks without more coefficients, for a symbol of category 0.
fn run_length(reader: &mut BitReader<'_>, run: usize) -> u32 {
    (1 << run) + reader.receive(run as u32)
}

/// Decodes the correction bit of a coefficient that is not zero.
#[inline(always)]
fn correct(coefficient: &mut i16, reader: &mut BitReader<'_>, bit: i16) {
    if reader.bit() && *coefficient & bit == 0 {
        let step = if *coefficient > 0 { bit } else { -bit };
        *coefficient = coefficient.wrapping_add(step);
    }
}
