//! Arbitrary bytes as a file, read by [`untrusted::npy`](receptive_fuzz::untrusted::npy).
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| receptive_fuzz::untrusted::npy(bytes));
