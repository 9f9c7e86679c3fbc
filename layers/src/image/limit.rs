//! The limit of the memory of a decoding.

/// Maximum size of a file, and of the memory of its decoding, in bytes: 512 MiB, which is 178,956,970
/// pixels of 8-bit RGB.
pub const MAX_BYTES: u64 = 512 * 1024 * 1024;
