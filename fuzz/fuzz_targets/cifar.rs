//! Arbitrary bytes as a file, read by [`untrusted::cifar`](receptive_fuzz::untrusted::cifar).
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| receptive_fuzz::untrusted::cifar(bytes));
