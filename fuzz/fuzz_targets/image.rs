//! Arbitrary bytes as a file, read by [`untrusted::image`](receptive_fuzz::untrusted::image).
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| receptive_fuzz::untrusted::image(bytes));
