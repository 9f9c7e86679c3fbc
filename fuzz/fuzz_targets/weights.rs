//! Opens arbitrary bytes as a weight file and reads all values; the result is a dictionary or an
//! error, never a panic.
//!
//! `cargo +nightly fuzz run weights -- -rss_limit_mb=1024` from the project's root.

#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use receptive_layers::weights::StateDict;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("weights");
    fs::write(&path, bytes).expect("space on the disk");
    if let Ok(weights) = StateDict::open(&path) {
        for (_, tensor) in weights.iter() {
            let _ = tensor.data();
        }
    }
});
