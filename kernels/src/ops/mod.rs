//! Tensor operations that every backend runs, capture records and autodiff differentiates.
//!
//! The backends are those that this crate's features turn on (`ndarray`, `flex`, `wgpu`, `vulkan`,
//! `metal`, `cuda`), Burn's capture always, and any of them under autodiff with `train`. A tensor
//! of another backend makes an operation panic with "Backend not supported".
//!
//! With Burn's own `fusion` feature on, the GPU runs the same definitions, fused operation by
//! operation.

mod backend;
mod capture;
mod convolution;
#[cfg(feature = "train")]
mod gradient;
mod local_response_norm;
mod radial_basis;

pub use convolution::conv2d;
pub use local_response_norm::local_response_norm;
pub use radial_basis::radial_basis;

/// What capture calls the operations that Burn has no word for.
///
/// Each is recorded whole, as one `OperationIr::Custom` with this `id`.
pub mod ids {
    /// [`local_response_norm`](super::local_response_norm()): input `x`, output of its shape,
    /// scalars `size` (`UInt`), `alpha`, `beta`, `k` (`Float`) in this order.
    pub const LOCAL_RESPONSE_NORM: &str = "receptive.local_response_norm";

    /// [`radial_basis`](super::radial_basis()): inputs `x` and `centers`, output
    /// `[batch, classes]`, no scalars.
    pub const RADIAL_BASIS: &str = "receptive.radial_basis";
}
