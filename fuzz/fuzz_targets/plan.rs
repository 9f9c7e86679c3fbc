//! Arbitrary bytes as a file, read by [`untrusted::plan`](receptive_fuzz::untrusted::plan).
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| receptive_fuzz::untrusted::plan(bytes));
