//! Arbitrary bytes as a file, read by [`untrusted::idx`](receptive_fuzz::untrusted::idx).
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| receptive_fuzz::untrusted::idx(bytes));
