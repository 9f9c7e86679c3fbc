//! Bits of entropy-coded data.

use super::error::Damage;

/// Reader of the bits of entropy-coded data, the most significant bit of a byte first.
///
/// A zero byte after each 0xFF is removed (ITU-T T.81, section F.1.2.3). At a marker and at the end of
/// the file the reader supplies zeros, and counts them.
///
/// The reader is copied to a local variable while a block is decoded, so that it stays in registers.
#[derive(Clone, Copy)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    /// Position of the next byte, which is not yet in the buffer.
    position: usize,
    /// Unread bits, from the most significant bit; the bits below are zero.
    buffer: u64,
    /// Number of unread bits in the buffer, the supplied zeros included.
    available: u32,
    /// Number of zeros supplied since the last restart.
    supplied: u32,
}

impl<'a> BitReader<'a> {
    /// Reads from `position` in `bytes`.
    pub fn new(bytes: &'a [u8], position: usize) -> Self {
        Self {
            bytes,
            position,
            buffer: 0,
            available: 0,
            supplied: 0,
        }
    }

    /// Returns the position of the next byte that is not in the buffer.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Returns the length of the file, if all of its bytes have been read.
    pub fn end_of_file(&self) -> Option<usize> {
        let length = self.bytes.len();
        (self.position + 1 >= length).then_some(length)
    }

    /// Fills the buffer to at least 32 bits: enough for a code of 16 bits and the 15 bits of its
    /// magnitude.
    #[inline(always)]
    pub fn refill(&mut self) {
        if self.available < 32 {
            self.refill_buffer();
        }
    }

    #[inline(always)]
    fn refill_buffer(&mut self) {
        if let Some((&word, _)) = self.bytes[self.position..].split_first_chunk::<4>() {
            let word = u32::from_be_bytes(word);
            // A byte is 0xFF where its complement is zero.
            let complement = !word;
            let zeros = complement.wrapping_sub(0x0101_0101) & !complement & 0x8080_8080;
            if zeros == 0 {
                self.buffer |= u64::from(word) << (32 - self.available);
                self.available += 32;
                self.position += 4;
                return;
            }
        }
        *self = self.refilled_bytes();
    }

    /// Returns the reader with a buffer that is filled byte by byte.
    #[inline(never)]
    fn refilled_bytes(mut self) -> Self {
        while self.available <= 56 {
            let byte = match self.bytes[self.position..] {
                [0xff, 0, ..] => {
                    self.position += 2;
                    0xff
                }
                [0xff, ..] | [] => {
                    self.supplied = self.supplied.saturating_add(8);
                    self.available += 8;
                    continue;
                }
                [byte, ..] => {
                    self.position += 1;
                    byte
                }
            };
            self.buffer |= u64::from(byte) << (56 - self.available);
            self.available += 8;
        }
        self
    }

    /// Returns the next `count` bits, from 1 to 32, without consuming them. The buffer must have been
    /// refilled.
    #[inline(always)]
    pub fn peek(&self, count: u32) -> u32 {
        (self.buffer >> (64 - count)) as u32
    }

    /// Consumes `count` bits of the buffer, at most 32.
    #[inline(always)]
    pub fn consume(&mut self, count: u32) {
        self.buffer <<= count;
        self.available = self.available.wrapping_sub(count);
    }

    /// Returns the next `count` bits, from 0 to 16.
    #[inline(always)]
    pub fn receive(&mut self, count: u32) -> u32 {
        if count == 0 {
            return 0;
        }
        self.refill();
        let bits = self.peek(count);
        self.consume(count);
        bits
    }

    /// Returns whether the next bit is 1.
    #[inline(always)]
    pub fn bit(&mut self) -> bool {
        self.receive(1) == 1
    }

    /// Returns the signed value of a magnitude category (ITU-T T.81, section F.2.2.1): `category` bits,
    /// from 0 to 15. The buffer must have been refilled.
    #[inline(always)]
    pub fn magnitude(&mut self, category: u32) -> i32 {
        if category == 0 {
            return 0;
        }
        let bits = self.peek(category) as i32;
        self.consume(category);
        // Values whose first bit is 0 are negative, and one less than their bits say.
        let negative = bits >> (category - 1) ^ 1;
        bits - (negative << category) + negative
    }

    /// Returns an error if supplied zeros were consumed.
    #[inline(always)]
    pub fn check(&self) -> Result<(), Damage> {
        if self.available < self.supplied {
            return Err(Damage::TooShort);
        }
        Ok(())
    }

    /// Continues after the next marker, which must be the restart marker `expected`.
    pub fn restart(&mut self, expected: u8) -> Result<(), Damage> {
        let marker = find_marker(self.bytes, self.position);
        match marker {
            Some((marker, after)) if marker == 0xd0 + expected => {
                *self = Self::new(self.bytes, after);
                Ok(())
            }
            _ => Err(Damage::Restart { expected }),
        }
    }
}

/// Returns the first marker at or after `position`, and the position after the marker.
///
/// A marker is 0xFF and a byte other than 0 and 0xFF. Before a marker there are fill bytes 0xFF, and the
/// entropy-coded data that were not read.
pub fn find_marker(bytes: &[u8], position: usize) -> Option<(u8, usize)> {
    let at = bytes
        .get(position..)?
        .windows(2)
        .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff))?;
    let at = position + at;
    Some((bytes[at + 1], at + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffed_zeros_are_removed_and_zeros_are_supplied_at_a_marker() {
        let bytes = [0x12, 0xff, 0x00, 0x34, 0x56, 0x78, 0x9a, 0xff, 0xd9];
        let mut reader = BitReader::new(&bytes, 0);
        for expected in [0x12ff, 0x3456, 0x789a] {
            assert_eq!(reader.receive(16), expected);
            assert_eq!(reader.check(), Ok(()));
        }
        assert_eq!(reader.receive(1), 0);
        assert_eq!(reader.check(), Err(Damage::TooShort));
        assert_eq!(reader.position(), 7);
    }

    #[test]
    fn magnitudes_are_those_of_table_f_1() {
        // Category 3: 000 is -7, 011 is -4, 100 is 4, 111 is 7.
        let bytes = [0b0000_1110, 0b0111_0101, 0, 0, 0];
        let mut reader = BitReader::new(&bytes, 0);
        reader.refill();
        let values = [3, 3, 3, 3, 1, 1].map(|category| reader.magnitude(category));
        assert_eq!(values, [-7, -4, 4, 7, -1, 1]);
        assert_eq!(reader.magnitude(0), 0);
    }

    #[test]
    fn a_restart_needs_the_marker_in_order() {
        let bytes = [0x12, 0xff, 0xff, 0xd3, 0x80, 0, 0, 0];
        let mut reader = BitReader::new(&bytes, 0);
        reader.refill();
        assert_eq!(reader.restart(2), Err(Damage::Restart { expected: 2 }));
        assert_eq!(reader.restart(3), Ok(()));
        assert!(reader.bit());
    }
}
