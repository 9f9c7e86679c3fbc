//! Options of reading.

/// The oldest version of the operators that files are read of.
pub const OLDEST_OPSET: i64 = 7;

/// The newest version of the operators that files are read of.
pub const NEWEST_OPSET: i64 = 28;

/// Options of [`read`](super::read).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// Number of images, if the file leaves the length of the first axis open. Default 1. An error if the file has
    /// another number.
    pub batch: Option<usize>,
    /// Height and width of the input, if the file leaves them open. An error if the file has other lengths.
    pub size: Option<[usize; 2]>,
}
