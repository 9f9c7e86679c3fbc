//! Tests of `export` and of `train --onnx`. The step `onnx` of CI runs the files in ONNX Runtime.

use std::fs;
use std::path::Path;

use prost::Message;
use receptive_layers::labels::LabelSet;
use receptive_onnx::proto::{DataType, DimensionValue, ModelProto, ValueInfoProto};

use crate::{error_line, lenet, receptive, text};

fn read(path: &Path) -> ModelProto {
    let bytes = fs::read(path).expect("a file");
    ModelProto::decode(&bytes[..]).expect("a message")
}

/// Returns the type and the shape of an input or output; 0 for a dynamic length.
fn shape(value: &ValueInfoProto) -> (DataType, Vec<i64>) {
    let tensor = value
        .r#type
        .as_ref()
        .and_then(|value| value.tensor_type.as_ref());
    let tensor = tensor.expect("a tensor");
    let dims = tensor.shape.iter().flat_map(|shape| &shape.dim);
    let dims = dims.map(|dim| match dim.value.as_ref().expect("a length") {
        DimensionValue::DimValue(length) => *length,
        DimensionValue::DimParam(name) => {
            assert_eq!(name, "batch");
            0
        }
    });
    (tensor.elem_type(), dims.collect())
}

#[test]
fn the_file_has_the_weights_and_what_belongs_to_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mobilenet.onnx");
    receptive(&["export", "mobilenet-v2", "-o", text(&file)])
        .assert()
        .success();
    let model = read(&file);
    let graph = model.graph.as_ref().expect("a graph");
    assert_eq!(model.opset_import[0].version, 17);
    assert_eq!(graph.input[0].name, "input");
    assert_eq!(
        shape(&graph.input[0]),
        (DataType::Float, vec![0, 3, 224, 224])
    );
    assert_eq!(graph.output[0].name, "logits");
    assert_eq!(shape(&graph.output[0]), (DataType::Float, vec![0, 1000]));
    let head = graph
        .initializer
        .iter()
        .find(|tensor| tensor.name == "classifier.1.weight");
    assert_eq!(head.expect("a tensor").dims, [1000, 1280]);
    let metadata = |key: &str| {
        let entry = model.metadata_props.iter().find(|entry| entry.key == key);
        entry.expect(key).value.clone()
    };
    let labels: Vec<String> = serde_json::from_str(&metadata("labels")).expect("a list");
    assert!(
        labels
            .iter()
            .map(String::as_str)
            .eq(LabelSet::Imagenet1k.names())
    );
    assert!(metadata("preprocessing").contains("\"resize\":256"));
    assert_eq!(metadata("network"), "mobilenet-v2");
    assert_eq!(metadata("licence"), "BSD-3-Clause");
    assert!(metadata("source").starts_with("torchvision"));
}

#[test]
fn batch_opset_and_pixels_are_options() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lenet5.onnx");
    let arguments = [
        "export",
        "lenet5",
        "--batch",
        "8",
        "--opset",
        "21",
        "-o",
        text(&file),
    ];
    receptive(&[&arguments[..], &["--with-preprocessing"]].concat())
        .assert()
        .success();
    let model = read(&file);
    let graph = model.graph.as_ref().expect("a graph");
    assert_eq!(model.opset_import[0].version, 21);
    assert_eq!(
        shape(&graph.input[0]),
        (DataType::Uint8, vec![8, 32, 32, 1])
    );
    assert_eq!(shape(&graph.output[0]), (DataType::Float, vec![8, 10]));
}

#[test]
fn what_cannot_be_exported_is_an_error_and_writes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("x.onnx");
    let error =
        |arguments: &[&str]| error_line(&[&["export"], arguments, &["-o", text(&file)]].concat());
    assert!(error(&["lenet5", "--opset", "12"]).contains("expected a whole number from 13 to 23"));
    assert!(error(&["lenet5", "--batch", "0"]).contains("from 1 to 65536, or dynamic"));
    assert!(error(&["lenet6"]).contains("did you mean lenet5"));
    assert!(error(&["lenet5-1998"]).contains("has no published weights"));
    let (_, weights) = lenet(folder.path(), 10);
    assert!(error(&["alexnet", "--weights", text(&weights)]).contains("alexnet"));
    let found = error_line(&[
        "export",
        "lenet5",
        "--weights",
        text(&weights),
        "-o",
        text(&weights),
    ]);
    assert!(found.contains("is an input"), "{found}");
    assert!(!file.exists());
    let nowhere = folder.path().join("missing/x.onnx");
    let found = error_line(&["export", "lenet5", "-o", text(&nowhere)]);
    assert!(
        found.contains("cannot write") && found.contains("x.onnx"),
        "{found}"
    );
}

#[cfg(feature = "train")]
#[test]
fn a_training_run_writes_an_onnx_file() {
    let _lock = crate::training_lock();
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let arguments = [
        "train",
        "lenet5",
        "--onnx",
        "--set",
        "epochs=1",
        "--output",
        text(&run),
    ];
    receptive(&arguments).assert().success();
    let model = read(&run.join("model.onnx"));
    let graph = model.graph.as_ref().expect("a graph");
    assert_eq!(shape(&graph.output[0]).1, [0, 10]);
    assert!(
        !model
            .metadata_props
            .iter()
            .any(|entry| entry.key == "licence")
    );
}
