//! Errors of counting costs.

use receptive_kernels::cost::CostError;
use receptive_kernels::geometry::GeometryError;

/// Why the costs of a network cannot be counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("layer {layer}: {reason}")]
pub struct SummaryError {
    /// Name of the layer.
    pub layer: String,
    /// Why the costs of the layer cannot be counted.
    #[source]
    pub reason: CountError,
}

/// Why the costs of a layer cannot be counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CountError {
    /// A cost overflows 64 bits.
    #[error(transparent)]
    Cost(#[from] CostError),
    /// A window does not fit its input.
    #[error(transparent)]
    Geometry(#[from] GeometryError),
}
