//! Exact search in a set of vectors, such as embeddings: nearest neighbours, and groups of near-duplicates.
//!
//! ```
//! use receptive_layers::vectors::{Metric, VectorSet};
//!
//! let set = VectorSet::new(vec![1.0, 0.0, 0.0, 2.0, 3.0, 0.1], 2)?;
//! let nearest = set.nearest(&[1.0, 0.0], 2, Metric::Cosine);
//! assert_eq!([nearest[0].index, nearest[1].index], [0, 2]);
//! # Ok::<(), receptive_layers::vectors::VectorsError>(())
//! ```

mod kernels;
mod pairs;
mod set;
#[cfg(test)]
mod tests;

pub use kernels::cosine;
pub(crate) use kernels::inner_product;
pub use pairs::{Pair, groups};
pub use set::{Metric, Neighbour, VectorSet, VectorsError};
