//! Class labels, class probabilities and rankings.
//!
//! ```
//! use receptive_layers::labels::{IMAGENET_1K, top_k};
//! use receptive_layers::softmax;
//!
//! let mut logits = [0.0; 1000];
//! logits[967] = 10.0;
//! let (class, probability) = top_k(&softmax(&logits), 1)[0];
//! assert_eq!(IMAGENET_1K.lines().nth(class), Some("espresso"));
//! assert!((probability - 0.9566).abs() < 1e-4);
//! ```

mod file;
mod ranking;
mod sets;

pub use file::{LabelsError, open, parse};
pub use ranking::top_k;
pub use sets::{CIFAR_10, IMAGENET_1K, LabelSet, MNIST};
