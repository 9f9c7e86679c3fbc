//! What the tests that cross crates share.

pub mod devices;
pub mod float64;
pub mod formula;
pub mod recorded;
pub mod reference;
pub mod variants;

/// The example of the project's README, run as a doctest.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
