//! Arbitrary bytes as a file, read by [`untrusted::labels`](receptive_fuzz::untrusted::labels).
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| receptive_fuzz::untrusted::labels(bytes));
