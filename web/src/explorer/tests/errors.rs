use proptest::prelude::*;

use super::WEIGHTS;
use crate::error::Error;
use crate::explain::Unit;
use crate::explorer::Explorer;

#[test]
fn drawings_of_wrong_size_or_ink_are_errors() {
    let mut explorer = Explorer::lenet5(WEIGHTS).unwrap();
    for len in [0, 1, 783, 785, 1024] {
        let error = explorer.run(&vec![0.0; len]).unwrap_err();
        assert!(matches!(error, Error::DrawingSize { found, expected: 784 } if found == len));
    }
    for ink in [-0.1, 1.1, f32::NAN, f32::INFINITY] {
        let mut drawing = vec![0.0; 784];
        drawing[9] = ink;
        let error = explorer.run(&drawing).unwrap_err();
        assert!(matches!(error, Error::Ink { index: 9, .. }), "{error}");
    }
}

#[test]
fn errors_name_the_missing_layer_or_unit() {
    let explorer = Explorer::lenet5(WEIGHTS).unwrap();
    let error = explorer.values(12).unwrap_err().to_string();
    assert_eq!(error, "the layer index is 12, expected 0 to 11");
    let first = Unit {
        layer: 3,
        channel: 0,
        row: 0,
        column: 0,
    };
    assert!(explorer.explain(first).is_ok());
    let layer = usize::MAX;
    assert!(explorer.explain(Unit { layer, ..first }).is_err());
    for unit in [
        Unit {
            channel: 6,
            ..first
        },
        Unit { row: 14, ..first },
        Unit {
            column: usize::MAX,
            ..first
        },
    ] {
        let error = explorer.explain(unit).unwrap_err().to_string();
        assert!(
            error.starts_with("layer avgpool1 has no unit at channel"),
            "{error}"
        );
        assert!(error.ends_with("its shape is 6x14x14"), "{error}");
    }
}

#[test]
fn bytes_that_are_not_the_weights_are_errors() {
    let other = include_bytes!("../../../../cli/assets/mobilenet_v2-f16.safetensors");
    assert!(matches!(Explorer::lenet5(other), Err(Error::Weights(_))));
    let photo = include_bytes!("../../../../assets/photos/rocket.jpg");
    for bytes in [&b""[..], b"weights", photo] {
        assert!(matches!(Explorer::lenet5(bytes), Err(Error::Weights(_))));
    }
}

proptest! {
    #[test]
    fn truncated_weights_are_errors(len in 0..WEIGHTS.len()) {
        prop_assert!(matches!(Explorer::lenet5(&WEIGHTS[..len]), Err(Error::Weights(_))));
    }

    #[test]
    fn damaged_weights_load_or_are_errors(offset in 0..WEIGHTS.len().min(4096), byte in any::<u8>()) {
        let mut bytes = WEIGHTS.to_vec();
        bytes[offset] = byte;
        // A damaged weight loads as another number; a damaged header is an error. Neither panics.
        drop(Explorer::lenet5(&bytes));
    }
}
