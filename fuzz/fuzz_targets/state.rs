//! Arbitrary bytes as a file, read by [`untrusted::state`](receptive_fuzz::untrusted::state).
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| receptive_fuzz::untrusted::state(bytes));
