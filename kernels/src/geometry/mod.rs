//! Where windows lie: output sizes, padding, dilation, receptive fields. Plain arithmetic, no
//! tensors; every length is in positions (pixels) along one axis.
//!
//! ```
//! use receptive_kernels::geometry::{Padding, Window};
//!
//! // A 5x5 filter over a 32x32x3 input: 28x28.
//! assert_eq!(Window::new(5).output(32)?, 28);
//!
//! // AlexNet's first layer: (227 - 11) / 4 + 1 = 55.
//! let conv1 = Window { stride: 4, ..Window::new(11) };
//! assert_eq!(conv1.output(227)?, 55);
//!
//! // A 3x3 layer padded by one on each side keeps the size.
//! let padded = Window { padding: Padding::symmetric(1), ..Window::new(3) };
//! assert_eq!(padded.output(224)?, 224);
//! # Ok::<(), receptive_kernels::geometry::GeometryError>(())
//! ```

mod receptive_field;
mod window;

pub use receptive_field::ReceptiveField;
pub use window::{Padding, Rounding, Window};

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
