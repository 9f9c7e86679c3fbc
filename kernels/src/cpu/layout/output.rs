//! Destination of a convolution's sums.

use serde::{Deserialize, Serialize};

use super::map::Map;
use crate::cpu::micro::activation::Activation;

/// Destination of an algorithm's sums: the sums plus the residual, if any, through the activation,
/// are written to `y`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// Output map.
    pub y: Map,
    /// Map that is added, of the same shape and lanes.
    pub residual: Option<Map>,
    /// Activation that is applied last.
    pub activation: Activation,
}

impl Output {
    /// Whether the pixels of each block are contiguous in all maps.
    #[inline]
    pub fn is_dense(&self) -> bool {
        self.y.is_dense() && self.residual.is_none_or(|map| map.is_dense())
    }

    /// The same destination with all pixels of a block in one row.
    #[must_use]
    #[inline]
    pub fn flat(&self) -> Self {
        Self {
            y: self.y.flat(),
            residual: self.residual.map(|map| map.flat()),
            ..*self
        }
    }
}
