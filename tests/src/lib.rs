//! Shared code of the tests across crates.

pub mod cost_model;
pub mod devices;
pub mod float64;
pub mod formula;
pub mod fused;
pub mod networks;
pub mod recorded;
pub mod reference;
pub mod tiny;
pub mod untrusted;

/// The example in the project's README as a doctest.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
