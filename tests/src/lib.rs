//! What the tests that cross crates share.

pub mod devices;
pub mod float64;
pub mod formula;
pub mod reference;
pub mod variants;
