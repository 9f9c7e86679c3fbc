//! Huffman tables.

use super::bits::BitReader;
use super::error::Damage;

/// Codes of at most this length are looked up at once.
const LOOKUP_BITS: u32 = 10;

/// Huffman table (ITU-T T.81, annex C).
pub struct HuffmanTable {
    /// For each value of the next [`LOOKUP_BITS`] bits, the length of the code that they begin with,
    /// shifted left by 8, and its symbol; 0 for longer codes.
    symbols: Box<[u16; 1 << LOOKUP_BITS]>,
    /// For the same bits, the coefficient whose code and magnitude they contain, as
    /// [`Coefficient`](Self::coefficient) unpacks it; 0 if they do not contain both.
    coefficients: Box<[i32; 1 << LOOKUP_BITS]>,
    /// For each code length, the first code that is longer, in the upper bits of 16.
    ends: [u32; 17],
    /// For each code length, the index of the first symbol, less the first code.
    offsets: [i32; 17],
    /// The symbols, in the order of their codes.
    values: Vec<u8>,
}

impl HuffmanTable {
    /// Builds a table from the number of codes of each length, from 1 to 16, and the symbols in the
    /// order of their codes. Returns `None` if the lengths are not those of a prefix code.
    pub fn new(counts: &[u8; 16], values: &[u8]) -> Option<Self> {
        let mut table = Self {
            symbols: Box::new([0; 1 << LOOKUP_BITS]),
            coefficients: Box::new([0; 1 << LOOKUP_BITS]),
            ends: [0; 17],
            offsets: [0; 17],
            values: values.to_vec(),
        };
        let (mut code, mut index) = (0_u32, 0_usize);
        for length in 1..=16_u32 {
            let count = usize::from(counts[length as usize - 1]);
            table.offsets[length as usize] = index as i32 - code as i32;
            for &symbol in values.get(index..index + count)? {
                if length <= LOOKUP_BITS && code < 1 << length {
                    let first = (code << (LOOKUP_BITS - length)) as usize;
                    let entries = first..first + (1 << (LOOKUP_BITS - length));
                    table.symbols[entries].fill((length << 8) as u16 | u16::from(symbol));
                }
                code += 1;
            }
            if code > 1 << length {
                return None;
            }
            index += count;
            table.ends[length as usize] = code << (16 - length);
            code <<= 1;
        }
        for bits in 0..1 << LOOKUP_BITS {
            table.coefficients[bits as usize] = table.pack(bits);
        }
        Some(table)
    }

    /// Returns the entry of [`coefficients`](Self::coefficients) for the next bits.
    fn pack(&self, bits: u32) -> i32 {
        let entry = u32::from(self.symbols[bits as usize]);
        let (length, run, category) = (entry >> 8, entry >> 4 & 15, entry & 15);
        if length == 0 || category == 0 || length + category > LOOKUP_BITS {
            return 0;
        }
        let magnitude = bits >> (LOOKUP_BITS - length - category) & ((1 << category) - 1);
        let negative = magnitude >> (category - 1) == 0;
        let value = magnitude as i32 - if negative { (1 << category) - 1 } else { 0 };
        value << 16 | (run << 8 | (length + category)) as i32
    }

    /// Returns run and value of the next coefficient, if its code and magnitude are short. The buffer
    /// must have been refilled.
    #[inline(always)]
    pub fn coefficient(&self, reader: &mut BitReader<'_>) -> Option<(usize, i16)> {
        let entry = self.coefficients[reader.peek(LOOKUP_BITS) as usize];
        if entry == 0 {
            return None;
        }
        reader.consume(entry as u32 & 0xff);
        Some(((entry as u32 >> 8 & 0xff) as usize, (entry >> 16) as i16))
    }

    /// Returns the next symbol. The buffer must have been refilled.
    #[inline(always)]
    pub fn symbol(&self, reader: &mut BitReader<'_>) -> Result<u8, Damage> {
        let entry = self.symbols[reader.peek(LOOKUP_BITS) as usize];
        if entry != 0 {
            reader.consume(u32::from(entry >> 8));
            return Ok(entry as u8);
        }
        let (symbol, length) = self.long_symbol(reader.peek(16))?;
        reader.consume(length);
        Ok(symbol)
    }

    /// Returns the symbol that is longer than [`LOOKUP_BITS`], and its length, from the next 16 bits.
    #[inline(never)]
    fn long_symbol(&self, bits: u32) -> Result<(u8, u32), Damage> {
        for length in LOOKUP_BITS + 1..=16 {
            if bits < self.ends[length as usize] {
                let code = (bits >> (16 - length)) as i32;
                let index = code + self.offsets[length as usize];
                let symbol = usize::try_from(index).ok().and_then(|i| self.values.get(i));
                return symbol.map(|&symbol| (symbol, length)).ok_or(Damage::Code);
            }
        }
        Err(Damage::Code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a table with codes of all lengths, and the code of each symbol.
    fn ladder() -> (HuffmanTable, Vec<(u32, u32)>) {
        // One code of each length: 0, 10, 110, and so on. The last code of 16 bits is 1111111111111110.
        let values: Vec<u8> = (0x11..0x21).collect();
        let codes = (1..=16).map(|length| ((1 << length) - 2, length)).collect();
        (HuffmanTable::new(&[1; 16], &values).unwrap(), codes)
    }

    #[test]
    fn codes_of_all_lengths_are_read() {
        let (table, codes) = ladder();
        for (index, (code, length)) in codes.into_iter().enumerate() {
            let bytes = (code << (32 - length)).to_be_bytes();
            // A 0xFF is followed by a stuffed zero.
            let stuffed: Vec<u8> = bytes
                .iter()
                .flat_map(|&byte| [byte, 0].into_iter().take(1 + usize::from(byte == 0xff)))
                .collect();
            let mut reader = BitReader::new(&stuffed, 0);
            reader.refill();
            assert_eq!(table.symbol(&mut reader), Ok(0x11 + index as u8));
        }
    }

    #[test]
    fn bits_that_are_no_code_are_an_error() {
        let (table, _) = ladder();
        let mut reader = BitReader::new(&[0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0], 0);
        reader.refill();
        assert_eq!(table.symbol(&mut reader), Err(Damage::Code));
    }

    #[test]
    fn lengths_of_no_prefix_code_are_refused() {
        let mut counts = [0; 16];
        counts[0] = 3;
        assert!(HuffmanTable::new(&counts, &[1, 2, 3]).is_none());
        counts[0] = 1;
        assert!(HuffmanTable::new(&counts, &[]).is_none());
    }

    #[test]
    fn short_coefficients_are_read_at_once() {
        // The symbol 0x12, run 1 and category 2, has the code 10.
        let (table, _) = ladder();
        for (magnitude, value) in [(0b00, -3), (0b01, -2), (0b10, 2), (0b11, 3)] {
            let bytes = [0b1000_0000 | magnitude << 4, 0, 0, 0];
            let mut reader = BitReader::new(&bytes, 0);
            reader.refill();
            assert_eq!(table.coefficient(&mut reader), Some((1, value)));
            reader.refill();
            assert_eq!(table.coefficient(&mut reader).map(|c| c.0), Some(1));
        }
    }
}
