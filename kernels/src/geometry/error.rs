//! Errors of window arithmetic.

/// The output of a window cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GeometryError {
    /// A length that must be positive is 0.
    #[error("{length} is 0, expected at least 1")]
    Zero {
        /// Name of the length: `kernel`, `stride`, `dilation` or `input`.
        length: &'static str,
    },
    /// The window is longer than the padded input.
    #[error(
        "a window of {window} does not fit an input of {input} padded by {before} before and \
         {after} after"
    )]
    DoesNotFit {
        /// Length of the input.
        input: usize,
        /// Padding before the input.
        before: usize,
        /// Padding after the input.
        after: usize,
        /// Length of the window, dilation included.
        window: usize,
    },
    /// A length exceeds `usize::MAX`.
    #[error("{length} is larger than {}", usize::MAX)]
    Overflow {
        /// Name of the length.
        length: &'static str,
    },
}
