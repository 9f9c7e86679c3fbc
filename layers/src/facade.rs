//! The items that every architecture crate re-exports, so that a user depends on one crate.
//!
//! An architecture crate consists of its configurations and networks, and of
//! `pub use receptive_layers::facade::*`.

#[cfg(feature = "image")]
pub use crate::classifier::{self, Classifier};
#[cfg(feature = "draw")]
pub use crate::drawing;
#[cfg(feature = "image")]
pub use crate::embedder::{self, Embedder};
#[cfg(feature = "image")]
pub use crate::explain;
pub use crate::metadata::{self, Metadata};
pub use crate::network::{self, Network, NetworkConfig};
pub use crate::pretrained::{self, Pretrained, Weights};
pub use crate::weights::{self, Checkpoint};
pub use crate::{
    block, burn, compile, graph, labels, logistic, preprocessing, softmax, summary, vectors,
};
#[cfg(feature = "image")]
pub use crate::{image, pipeline};
