//! Detection of JPEG files that are cut.

/// Returns whether a JPEG file has its end-of-image marker (ITU-T T.81, section B.1.1.3).
///
/// The decoder fills the missing pixels of a cut file with grey, without an error. The function walks
/// the segments by their lengths, so that the marker in a thumbnail does not count, and the
/// entropy-coded data of each scan up to the next marker.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    loop {
        // A marker is 0xFF and a byte other than 0 and 0xFF. Between markers are fill bytes 0xFF, and
        // in entropy-coded data any bytes, where a 0 follows each 0xFF.
        let Some(at) = rest
            .windows(2)
            .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff))
        else {
            return false;
        };
        let marker = rest[at + 1];
        rest = &rest[at + 2..];
        match marker {
            // End of image.
            0xd9 => return true,
            // Start of image, restarts and TEM have no length.
            0xd8 | 0xd0..=0xd7 | 0x01 => {}
            _ => {
                let length = rest
                    .first_chunk()
                    .map(|&length| usize::from(u16::from_be_bytes(length)));
                match length.and_then(|length| rest.get(length..)) {
                    Some(after) => rest = after,
                    None => return false,
                }
            }
        }
    }
}
