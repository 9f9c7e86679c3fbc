//! Decodes arbitrary bytes as an image and preprocesses the image; the result is an image or an
//! error, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use receptive_layers::image::{decode, preprocess};
use receptive_layers::preprocessing::Preprocessing;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(image) = decode(bytes) {
        let planes = preprocess(&image, &Preprocessing::IMAGENET);
        assert_eq!(planes.len(), 3 * 224 * 224);
    }
});
