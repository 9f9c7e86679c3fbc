//! Why a JPEG file cannot be decoded.

/// Why a JPEG file cannot be decoded.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum JpegError {
    /// The file ends before its end-of-image marker.
    #[error("the file is cut: its {0} bytes have no end-of-image marker")]
    Cut(usize),
    /// A marker segment violates the standard.
    #[error("the {segment} segment is invalid: {reason}")]
    Segment {
        /// Name of the segment.
        segment: &'static str,
        /// The violation.
        reason: String,
    },
    /// The coding process or a property of the image is not supported.
    #[error("{0} not supported")]
    Unsupported(String),
    /// A scan refers to a table that no segment defines.
    #[error("{table} table {index} is used, but not defined")]
    MissingTable {
        /// Kind of table.
        table: &'static str,
        /// Number of the table in the file.
        index: u8,
    },
    /// The entropy-coded data violate the standard.
    #[error("scan {scan} is damaged: {reason}")]
    Damaged {
        /// Number of the scan, from 1.
        scan: usize,
        /// The violation.
        reason: Damage,
    },
    /// No scan contains a component.
    #[error("no scan contains component {0}")]
    MissingComponent(u8),
    /// There is no scan.
    #[error("the file has no image data")]
    NoScan,
}

/// A violation in entropy-coded data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// Bits that are no code of the Huffman table, or a code with an impossible meaning.
    #[error("invalid Huffman code")]
    Code,
    /// More coefficients than a block has.
    #[error("a block has more than 64 coefficients")]
    Overflow,
    /// Fewer blocks than the image has.
    #[error("its data end early")]
    TooShort,
    /// A restart marker is missing or out of order.
    #[error("restart marker {expected} is missing")]
    Restart {
        /// Number of the marker that was expected, from 0 to 7.
        expected: u8,
    },
}
