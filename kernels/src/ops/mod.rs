//! Tensor operations on Burn's backends, with capture and autodiff.
//!
//! The features `ndarray`, `flex`, `wgpu`, `vulkan`, `metal` and `cuda` enable the operations on the
//! backend of that name, and the feature `autodiff` enables their gradients. Burn's capture is always
//! supported. On a tensor of another backend, an operation panics with "Backend not supported".
//!
//! GPU backends run the operations as definitions by Burn's operations, which Burn's feature `fusion`
//! fuses.

mod add_relu;
mod backend;
mod batch_norm;
mod capture;
mod convolution;
#[cfg(any(feature = "ndarray", feature = "flex"))]
mod cpu;
mod definition;
#[cfg(feature = "autodiff")]
mod gradient;
pub mod ids;
mod linear;
mod local_response_norm;
mod max_pool;
mod mean_pool;
mod radial_basis;
mod sgd_step;

pub use add_relu::add_relu;
pub use batch_norm::batch_norm_activation;
pub use convolution::{BatchNorm, conv2d, conv2d_norm_activation};
pub use linear::linear;
pub use local_response_norm::local_response_norm;
pub use max_pool::max_pool2d;
pub use mean_pool::mean_pool2d;
pub use radial_basis::radial_basis;
pub use sgd_step::sgd_step;

/// Clears the cache of packed weights of convolutions on Burn's CPU backends.
///
/// A convolution packs its weights in the first run and caches the packed weights for later runs.
/// Packed weights for Winograd's algorithm are several times as large as the weights. An entry of the
/// cache keeps its weights alive until a later convolution evicts the entry, because nothing else holds
/// the weights or because the entry was not used for long, or until this function is called.
pub fn clear_cache() {
    #[cfg(any(feature = "ndarray", feature = "flex"))]
    cpu::cache::clear();
}
