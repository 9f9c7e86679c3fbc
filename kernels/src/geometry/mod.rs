//! Window geometry: output sizes, padding, dilation and receptive fields.
//!
//! Plain arithmetic without tensors. Every length is a number of positions (pixels) along one axis.
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

mod error;
mod receptive_field;
mod window;

pub use error::GeometryError;
pub use receptive_field::ReceptiveField;
pub use window::{Padding, Rounding, Window};
