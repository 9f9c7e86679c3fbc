use burn::tensor::{Device, Tensor, TensorData};
use receptive_layers::image;
use receptive_layers::network::{Network, NetworkConfig};
use receptive_layers::weights::{self, Heads, StateDict};
use receptive_mobilenet::{MobileNetV2, MobileNetV2Config};

use super::Classifier;
use crate::error::Error;

const WEIGHTS: &[u8] = include_bytes!("../../../cli/assets/mobilenet_v2-f16.safetensors");
const COFFEE: &[u8] = include_bytes!("../../../assets/photos/coffee.png");
const CHELSEA: &[u8] = include_bytes!("../../../assets/photos/chelsea.png");
const ROCKET: &[u8] = include_bytes!("../../../assets/photos/rocket.jpg");

#[test]
fn sample_photos_have_the_expected_top_class() {
    let mut classifier = Classifier::mobilenet_v2(WEIGHTS).unwrap();
    for (photo, label) in [
        (COFFEE, "espresso"),
        (CHELSEA, "Egyptian cat"),
        (ROCKET, "drilling platform"),
    ] {
        let found = classifier.classify(photo).unwrap();
        assert_eq!(found.top[0].label, label);
        assert_eq!(found.top.len(), 5);
        assert!(found.milliseconds > 0.0);
        let probabilities = found.top.iter().map(|prediction| prediction.probability);
        assert!(probabilities.is_sorted_by(|a, b| a >= b));
    }
}

#[test]
fn stages_and_logits_match_the_burn_forward() {
    let device = Device::flex();
    let dictionary = StateDict::from_bytes(WEIGHTS).unwrap();
    let network = MobileNetV2Config::mobilenet_v2().init(&device);
    let network = weights::load(network, &dictionary, Heads::Load).unwrap();
    let mut classifier = Classifier::mobilenet_v2(WEIGHTS).unwrap();
    assert!(matches!(classifier.stage(0), Err(Error::NoPhoto)));
    classifier.classify(COFFEE).unwrap();

    let photo = image::decode(COFFEE).unwrap();
    let input = image::preprocess(&photo, &Classifier::PREPROCESSING);
    let input = Tensor::<4>::from_data(TensorData::new(input, [1, 3, 224, 224]), &device);
    let features = network.features(input.clone());
    assert_eq!(classifier.stages().len(), features.len());
    for (index, map) in features.into_iter().enumerate() {
        let stage = &classifier.stages()[index];
        assert_eq!(stage.name, MobileNetV2::STAGES[index].name);
        assert_eq!(stage.shape, map.dims()[1..]);
        let expected: Vec<f32> = map.into_data().try_to_vec().unwrap();
        assert_close(classifier.stage(index).unwrap(), &expected, stage.name);
    }
    let logits = Network::forward(&network, input);
    let expected: Vec<f32> = logits.into_data().try_to_vec().unwrap();
    let outputs = classifier.outputs.as_ref().unwrap();
    assert_close(&outputs["logits"], &expected, "logits");
    let message = classifier.stage(9).unwrap_err().to_string();
    assert_eq!(message, "the stage index is 9, expected 0 to 8");
}

/// Asserts that the values agree to 1e-4 of the largest absolute value.
fn assert_close(found: &[f32], expected: &[f32], name: &str) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let largest = expected.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
    for (found, expected) in found.iter().zip(expected) {
        let error = (found - expected).abs();
        assert!(
            error <= 1e-4 * largest,
            "{name}: {found}, expected {expected}"
        );
    }
}

#[test]
fn exif_orientation_rotates_the_photo() {
    let mut classifier = Classifier::mobilenet_v2(WEIGHTS).unwrap();
    let upright = classifier.classify(ROCKET).unwrap();
    // An EXIF segment with orientation 6, a quarter turn clockwise, inserted after the JPEG header.
    let exif =
        b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let rotated = [&ROCKET[..2], exif, &ROCKET[2..]].concat();
    let rotated = classifier.classify(&rotated).unwrap();
    assert_ne!(upright.top, rotated.top);
}

#[test]
fn bytes_that_are_not_a_photo_are_errors() {
    let mut classifier = Classifier::mobilenet_v2(WEIGHTS).unwrap();
    for bytes in [&b""[..], b"photo", WEIGHTS, &COFFEE[..1000], &ROCKET[..20]] {
        let error = classifier.classify(bytes).unwrap_err();
        assert!(matches!(error, Error::Photo(_)), "{error}");
        assert!(error.to_string().starts_with("the file "), "{error}");
    }
    classifier.classify(COFFEE).unwrap();
}

#[test]
fn bytes_that_are_not_the_weights_are_errors() {
    for bytes in [&b""[..], b"weights", COFFEE, &WEIGHTS[..100_000]] {
        assert!(matches!(
            Classifier::mobilenet_v2(bytes),
            Err(Error::Weights(_))
        ));
    }
}
