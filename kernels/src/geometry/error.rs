//! Errors of window arithmetic.

/// A window or its input makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GeometryError {
    /// A length that must be positive is 0.
    #[error("{length} is 0, expected at least 1")]
    Zero {
        /// Which one: `kernel`, `stride`, `dilation` or `input`.
        length: &'static str,
    },
    /// Not even one window lies within the padded input.
    #[error(
        "a window of {window} does not fit an input of {input} padded by {before} before and \
         {after} after"
    )]
    DoesNotFit {
        /// The input's length.
        input: usize,
        /// Padding before it.
        before: usize,
        /// Padding after it.
        after: usize,
        /// The window's length, dilation included.
        window: usize,
    },
    /// A length does not fit `usize`.
    #[error("{length} is larger than {}", usize::MAX)]
    Overflow {
        /// Which one.
        length: &'static str,
    },
}
