//! Cost of a layer or a network, sums of costs, and errors.

/// Cost of a layer or a network for one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Cost {
    /// Number of trainable values.
    pub parameters: u64,
    /// Number of stored values that are not trained: running statistics of batch norms, fixed centers.
    pub buffers: u64,
    /// Number of multiply-adds (MACs).
    pub macs: u64,
    /// Number of output values.
    pub activations: u64,
    /// Number of links into every unit, biases included. Norms and elementwise operations belong to
    /// the unit whose value they change and have no connections.
    pub connections: u64,
}

impl Cost {
    /// Returns the total cost of several layers.
    ///
    /// # Errors
    ///
    /// [`CostError::Overflow`].
    pub fn sum(layers: impl IntoIterator<Item = Self>) -> Result<Self, CostError> {
        layers
            .into_iter()
            .try_fold(Self::default(), |total, layer| {
                Ok(Self {
                    parameters: add("parameters", total.parameters, layer.parameters)?,
                    buffers: add("buffers", total.buffers, layer.buffers)?,
                    macs: add("multiply-adds", total.macs, layer.macs)?,
                    activations: add("activation values", total.activations, layer.activations)?,
                    connections: add("connections", total.connections, layer.connections)?,
                })
            })
    }
}

/// Returns the size in bytes of `values` values of `size` bytes each (4 for f32, 2 for f16 and bf16).
///
/// ```
/// // VGG16's parameters in f32: 528 MiB.
/// let bytes = receptive_kernels::cost::bytes(138_357_544, 4)?;
/// assert_eq!(bytes.div_ceil(1 << 20), 528);
/// # Ok::<(), receptive_kernels::cost::CostError>(())
/// ```
///
/// # Errors
///
/// [`CostError::Overflow`].
pub fn bytes(values: u64, size: usize) -> Result<u64, CostError> {
    values
        .checked_mul(size as u64)
        .ok_or(CostError::Overflow { quantity: "bytes" })
}

/// A cost cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CostError {
    /// A count exceeds 64 bits.
    #[error("the number of {quantity} exceeds {}", u64::MAX)]
    Overflow {
        /// Name of the count.
        quantity: &'static str,
    },
    /// The groups of a convolution do not divide its channels.
    #[error("{groups} groups do not divide {channels} channels")]
    Groups {
        /// Number of groups.
        groups: usize,
        /// Number of input or output channels.
        channels: usize,
    },
}

/// Sum of two counts.
pub(super) fn add(quantity: &'static str, left: u64, right: u64) -> Result<u64, CostError> {
    left.checked_add(right)
        .ok_or(CostError::Overflow { quantity })
}

/// Product of all factors. A factor of 0 makes the product 0, however large the other factors are.
pub(super) fn product<const N: usize>(
    quantity: &'static str,
    factors: [usize; N],
) -> Result<u64, CostError> {
    if factors.contains(&0) {
        return Ok(0);
    }
    factors
        .iter()
        .try_fold(1_u64, |product, &factor| product.checked_mul(factor as u64))
        .ok_or(CostError::Overflow { quantity })
}
