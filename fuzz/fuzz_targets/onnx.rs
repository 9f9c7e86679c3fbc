//! Arbitrary bytes as a file, read by [`untrusted::onnx`](receptive_fuzz::untrusted::onnx).
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| receptive_fuzz::untrusted::onnx(bytes));
