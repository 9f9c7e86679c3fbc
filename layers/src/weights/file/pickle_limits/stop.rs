//! Reasons to end the scan of a pickle.

use std::io;

/// Why a scan ends before the end of the pickle.
#[derive(Debug, PartialEq)]
pub enum Stop {
    /// The reader fails at the same opcode.
    Unreadable,
    /// The pickle exceeds a limit.
    Limit(String),
}

impl From<io::Error> for Stop {
    fn from(_: io::Error) -> Self {
        Self::Unreadable
    }
}
