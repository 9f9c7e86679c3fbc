//! The cost of a layer or a network, its sums and its errors.

/// What a layer, or a network, costs for one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Cost {
    /// Trainable values.
    pub parameters: u64,
    /// Values that are kept but not trained: batch norm's running statistics, fixed centers.
    pub buffers: u64,
    /// Multiply-adds.
    pub macs: u64,
    /// Values of the output.
    pub activations: u64,
    /// Links into every unit, biases included. Norms and elementwise operations are part of the
    /// unit whose value they change and have none of their own.
    pub connections: u64,
}

impl Cost {
    /// The cost of several layers together.
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

/// The memory of so many values of `size` bytes each (4 for f32, 2 for f16 and bf16), in bytes.
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

/// A cost cannot be counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CostError {
    /// A count does not fit 64 bits.
    #[error("the {quantity} are more than {}", u64::MAX)]
    Overflow {
        /// What was counted.
        quantity: &'static str,
    },
    /// The groups of a convolution do not divide its channels.
    #[error("{groups} groups do not divide {channels} channels")]
    Groups {
        /// How many groups.
        groups: usize,
        /// The channels, of input or output.
        channels: usize,
    },
}

pub(super) fn add(quantity: &'static str, left: u64, right: u64) -> Result<u64, CostError> {
    left.checked_add(right)
        .ok_or(CostError::Overflow { quantity })
}

/// The product of all factors. A factor of 0 makes it 0, however large the others are.
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
