//! Arbitrary bytes as a file, read by [`untrusted::vectors`](receptive_fuzz::untrusted::vectors).
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| receptive_fuzz::untrusted::vectors(bytes));
