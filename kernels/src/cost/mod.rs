//! What a layer costs, counted as the papers and the usual tables count. Plain arithmetic.
//!
//! All costs are those of one image. A multiply-add is one MAC; biases, pools, norms and
//! activations have none, so that the sums are those of the published tables (VGG16: 15.47 G).
//! *Connections* are the links into every unit, biases included, as LeCun et al. count LeNet-5
//! (Gradient-Based Learning Applied to Document Recognition, section II.B).
//!
//! ```
//! use receptive_kernels::cost::{self, Convolution, Cost};
//!
//! // LeNet-5, layer by layer.
//! let five = [5, 5];
//! let c1 = Convolution::new([1, 6], five).cost([28, 28])?;
//! assert_eq!((c1.parameters, c1.connections), (156, 122_304));
//! let s2 = cost::subsampling(6, [2, 2], [14, 14])?;
//! assert_eq!((s2.parameters, s2.connections), (12, 5_880));
//! // C3's maps see 3, 4 or 6 of S2's (table I): six, nine and one of them.
//! let c3 = Cost::sum([
//!     Convolution::new([3, 6], five).cost([10, 10])?,
//!     Convolution::new([4, 9], five).cost([10, 10])?,
//!     Convolution::new([6, 1], five).cost([10, 10])?,
//! ])?;
//! assert_eq!((c3.parameters, c3.connections), (1_516, 151_600));
//! let s4 = cost::subsampling(16, [2, 2], [5, 5])?;
//! assert_eq!((s4.parameters, s4.connections), (32, 2_000));
//! let c5 = Convolution::new([16, 120], five).cost([1, 1])?;
//! assert_eq!((c5.parameters, c5.connections), (48_120, 48_120));
//! let f6 = cost::linear(120, 84, true)?;
//! assert_eq!((f6.parameters, f6.connections), (10_164, 10_164));
//! let output = cost::radial_basis(84, 10)?;
//! assert_eq!((output.parameters, output.connections), (0, 840));
//!
//! let total = Cost::sum([c1, s2, c3, s4, c5, f6, output])?;
//! assert_eq!((total.parameters, total.connections), (60_000, 340_908));
//! # Ok::<(), receptive_kernels::cost::CostError>(())
//! ```

mod convolution;
mod layers;

pub use convolution::{Convolution, DepthwiseSeparable};
pub use layers::{
    batch_norm, elementwise, linear, local_response_norm, pool, radial_basis, subsampling,
};

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

fn add(quantity: &'static str, left: u64, right: u64) -> Result<u64, CostError> {
    left.checked_add(right)
        .ok_or(CostError::Overflow { quantity })
}

/// The product of all factors. A factor of 0 makes it 0, however large the others are.
fn product<const N: usize>(quantity: &'static str, factors: [usize; N]) -> Result<u64, CostError> {
    if factors.contains(&0) {
        return Ok(0);
    }
    factors
        .iter()
        .try_fold(1_u64, |product, &factor| product.checked_mul(factor as u64))
        .ok_or(CostError::Overflow { quantity })
}
