//! Where a convolution's sums go.

use serde::{Deserialize, Serialize};

use super::map::Map;
use crate::cpu::micro::activation::Activation;

/// Where an algorithm's sums go: added to `residual` if there is one, through the activation, into
/// `y`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// The output map.
    pub y: Map,
    /// A map of the same shape and lanes.
    pub residual: Option<Map>,
    /// The last thing that is done to an element.
    pub activation: Activation,
}

impl Output {
    /// Whether the pixels of all its maps' blocks are contiguous.
    pub fn is_dense(&self) -> bool {
        self.y.is_dense() && self.residual.is_none_or(|map| map.is_dense())
    }

    /// The same with all pixels of a block in one row.
    #[must_use]
    pub fn flat(&self) -> Self {
        Self {
            y: self.y.flat(),
            residual: self.residual.map(|map| map.flat()),
            ..*self
        }
    }
}
