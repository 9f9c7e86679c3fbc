//! The readers of untrusted files that the fuzz targets call.

#[path = "../../tests/src/untrusted.rs"]
pub mod untrusted;
