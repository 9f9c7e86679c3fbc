//! Arbitrary bytes as a file, read by [`untrusted::recipe`](receptive_fuzz::untrusted::recipe).
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| receptive_fuzz::untrusted::recipe(bytes));
