//! Arbitrary bytes as a file, read by [`untrusted::archive`](receptive_fuzz::untrusted::archive).
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| receptive_fuzz::untrusted::archive(bytes));
