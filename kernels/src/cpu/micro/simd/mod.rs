//! Instruction sets and their vectors.
//!
//! Micro-kernels are written once over [`Simd`]. [`Simd::entry`] compiles a [`MicroKernel`] for an
//! instruction set and returns its address; a table of addresses is all that differs between
//! instruction sets at run time.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod instruction_set;
mod isa;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
#[cfg(all(
    target_arch = "wasm32",
    any(target_feature = "simd128", feature = "simd128")
))]
mod simd128;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
pub(crate) use instruction_set::{MicroKernel, Simd};
pub use isa::{Isa, UnknownIsa};
#[cfg(target_arch = "aarch64")]
pub(crate) use neon::Neon;
pub(crate) use scalar::Scalar;
#[cfg(all(
    target_arch = "wasm32",
    any(target_feature = "simd128", feature = "simd128")
))]
pub(crate) use simd128::Simd128;

/// Elements of the longest vector.
pub(crate) const MAX_LANES: usize = 16;
