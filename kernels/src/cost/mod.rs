//! Costs of layers and networks: parameters, multiply-adds, activations and connections.
//!
//! Every cost is that of one image. A multiply-add is one MAC. Biases, pools, norms and activations
//! have no MACs, so that totals agree with published tables (VGG16: 15.47 G). *Connections* are the
//! links into every unit, biases included, as LeCun et al. count LeNet-5 (Gradient-Based Learning
//! Applied to Document Recognition, section II.B).
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
//! // C3 has six maps with 3 inputs from S2, nine with 4 and one with 6 (table I).
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
mod total;

pub use convolution::{Convolution, DepthwiseSeparable};
pub use layers::{
    batch_norm, elementwise, linear, local_response_norm, pool, radial_basis, subsampling,
};
pub use total::{Cost, CostError, bytes};
