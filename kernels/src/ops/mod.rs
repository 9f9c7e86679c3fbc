//! Tensor operations that every backend runs, capture records and autodiff differentiates.
//!
//! The backends are those that this crate's features turn on (`ndarray`, `flex`, `wgpu`, `vulkan`,
//! `metal`, `cuda`), Burn's capture always, and any of them under autodiff with `autodiff`. A tensor
//! of another backend makes an operation panic with "Backend not supported".
//!
//! With Burn's own `fusion` feature on, the GPU runs the same definitions, fused operation by
//! operation.

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

/// Forgets the packed weights of the convolutions that ran on Burn's CPU backends.
///
/// They are kept for the next run with the same weights, as long as these are alive and in use: several times
/// the weights' own size where Winograd's algorithm runs. Those of weights that are gone, and the weights
/// themselves, are dropped when next convolutions run, and here.
pub fn clear_cache() {
    #[cfg(any(feature = "ndarray", feature = "flex"))]
    cpu::cache::clear();
}
