//! Arbitrary bytes as a file, read by [`untrusted::weights`](receptive_fuzz::untrusted::weights).
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| receptive_fuzz::untrusted::weights(bytes));
