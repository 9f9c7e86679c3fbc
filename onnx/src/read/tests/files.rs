//! Files: inputs, outputs, names, versions, external data.

use std::fs;

use prost::Message;
use receptive_layers::graph::Op;

use super::models::{file, info, int, list, message, node, numbers, ops, read, text};
use crate::proto::{DataLocation, ModelProto, StringStringEntryProto, TensorProto};
use crate::{ReadError, ReadOptions, read_bytes};

fn relu() -> Vec<crate::proto::NodeProto> {
    vec![node("Relu", &["x"], &["y"], &[])]
}

fn with_options(file: &ModelProto, options: &ReadOptions) -> Result<Vec<usize>, String> {
    let model = read_bytes(&file.encode_to_vec(), options).map_err(|error| error.to_string())?;
    Ok(model.graph.shape(model.graph.input).to_vec())
}

#[test]
fn open_lengths_are_those_of_the_options() {
    let open = file(17, &[0, 3, -1, -2], relu(), vec![]);
    assert_eq!(
        with_options(&open, &ReadOptions::default()),
        Err(
            "axis 2 of the input x has the length \"n1\"; state the height and width of the input"
                .to_owned()
        )
    );
    let options = ReadOptions {
        batch: Some(2),
        size: Some([4, 5]),
    };
    assert_eq!(with_options(&open, &options), Ok(vec![2, 3, 4, 5]));
    let fixed = file(17, &[1, 3, 4, 4], relu(), vec![]);
    assert_eq!(
        with_options(&fixed, &options),
        Err("the file has the batch size 1, expected the requested 2".to_owned())
    );
    let options = ReadOptions {
        batch: None,
        ..options
    };
    assert_eq!(
        with_options(&fixed, &options),
        Err("the file has the input width 4, expected the requested 5".to_owned())
    );
    let channels = file(17, &[1, -1, 4, 4], relu(), vec![]);
    assert_eq!(
        message(read(&channels)),
        "axis 1 of the input x has the length \"n1\"; only the batch size, height and width can be open"
    );
}

#[test]
fn networks_of_every_batch_are_recognized() {
    let any_batch = |input: &[i64], nodes, constants| {
        read(&file(12, input, nodes, constants))
            .expect("read")
            .graph
            .any_batch
    };
    assert!(any_batch(&[0, 4], relu(), vec![]));
    // The file's number of images is fixed.
    assert!(!any_batch(&[1, 4], relu(), vec![]));
    let softmax = |axis| vec![node("Softmax", &["x"], &["y"], &[int("axis", axis)])];
    assert!(any_batch(&[0, 4], softmax(1), vec![]));
    assert!(!any_batch(&[0, 4], softmax(0), vec![]));
    let reshape = vec![node("Reshape", &["x", "s"], &["y"], &[])];
    assert!(any_batch(
        &[0, 2, 2],
        reshape.clone(),
        vec![list("s", &[0, 4])]
    ));
    assert!(!any_batch(
        &[0, 2, 2],
        reshape.clone(),
        vec![list("s", &[1, 4])]
    ));
    assert!(!any_batch(&[0, 2, 2], reshape, vec![list("s", &[-1, 1])]));
    // A factor that depends on the number of images.
    let divided = vec![
        node("Size", &["x"], &["n"], &[]),
        node("Cast", &["n"], &["f"], &[int("to", 1)]),
        node("Div", &["x", "f"], &["y"], &[]),
    ];
    assert!(!any_batch(&[0, 2], divided, vec![]));
}

#[test]
fn initializers_that_are_inputs_are_weights() {
    let nodes = vec![node("Add", &["x", "w"], &["y"], &[])];
    let mut old = file(7, &[1, 2], nodes, vec![numbers("w", &[1, 2], &[1.0, 2.0])]);
    (old.graph.as_mut().expect("a graph").input).insert(0, info("w", &[1, 2]));
    let model = read(&old).expect("read");
    assert_eq!(model.input, "x");
    (old.graph.as_mut().expect("a graph").initializer).clear();
    assert_eq!(
        message(read(&old)),
        "the network has 2 inputs (w, x), expected 1"
    );
}

#[test]
fn several_outputs_keep_their_names() {
    let mut two = file(17, &[1, 2], relu(), vec![]);
    let graph = two.graph.as_mut().expect("a graph");
    graph.output.push(info("x", &[]));
    let model = read(&two).expect("read");
    assert_eq!(model.graph.output_names, ["y", "x"]);
    assert_eq!(model.graph.outputs[1], model.graph.input);
}

#[test]
fn nodes_have_the_names_of_the_file() {
    let mut nodes = vec![
        node("Relu", &["x"], &["a"], &[]),
        node("Tanh", &["a"], &["b"], &[]),
        node("Sigmoid", &["b"], &["y"], &[]),
    ];
    nodes[0].name = "layer".to_owned();
    nodes[1].name = "layer".to_owned();
    let model = read(&file(17, &[1, 2], nodes, vec![])).expect("read");
    let names: Vec<&str> = model
        .graph
        .nodes
        .iter()
        .map(|node| node.name.as_str())
        .collect();
    assert_eq!(names, ["layer", "layer_1", "y"]);
}

#[test]
fn unused_nodes_are_ignored_and_nodes_are_sorted() {
    let nodes = vec![
        node("Tanh", &["a"], &["y"], &[]),
        node("Relu", &["x"], &["a"], &[]),
        node("Einsum", &["a"], &["unused"], &[]),
    ];
    let model = read(&file(17, &[1, 2], nodes, vec![])).expect("read");
    assert_eq!(ops(&model.graph), [Op::Relu, Op::Tanh]);
}

#[test]
fn all_unsupported_nodes_are_listed() {
    let mut nodes = vec![
        node("Relu", &["x"], &["a"], &[]),
        node("Einsum", &["a"], &["b"], &[text("equation", "ij->i")]),
        node("Relu", &["b"], &["c"], &[]),
        node("ArgMax", &["c"], &["d"], &[]),
        node("FusedConv", &["d"], &["y"], &[]),
    ];
    nodes[4].domain = "com.microsoft".to_owned();
    nodes[3].name = "top".to_owned();
    let error = read(&file(17, &[1, 2], nodes, vec![])).expect_err("unsupported");
    assert_eq!(
        error.to_string(),
        "3 unsupported nodes:\n  b (Einsum, opset 17): the operator is not supported\n  \
         top (ArgMax, opset 17): the operator is not supported\n  \
         y (com.microsoft.FusedConv, opset 17): only ONNX's own operators are supported"
    );
    match error {
        ReadError::Unsupported { operators } => assert_eq!(operators[1].operator, "ArgMax"),
        other => panic!("{other}"),
    }
}

#[test]
fn names_must_be_defined_once() {
    let nodes = vec![node("Add", &["x", "z"], &["y"], &[])];
    assert_eq!(
        message(read(&file(17, &[1], nodes, vec![]))),
        "y reads \"z\", which nothing writes"
    );
    let nodes = vec![node("Relu", &["x"], &["z"], &[])];
    assert_eq!(
        message(read(&file(17, &[1], nodes, vec![]))),
        "the network reads \"y\", which nothing writes"
    );
    let twice = [relu(), relu()].concat();
    assert_eq!(
        message(read(&file(17, &[1], twice, vec![]))),
        "\"y\" is written twice"
    );
    let constants = vec![numbers("w", &[1], &[1.0]), numbers("w", &[1], &[1.0])];
    assert_eq!(
        message(read(&file(17, &[1], relu(), constants))),
        "\"w\" is written twice"
    );
    let circle = vec![
        node("Add", &["x", "b"], &["a"], &[]),
        node("Relu", &["a"], &["b"], &[]),
        node("Relu", &["b"], &["y"], &[]),
    ];
    assert_eq!(
        message(read(&file(17, &[1], circle, vec![]))),
        "the nodes form a circle: a, b, y"
    );
}

#[test]
fn versions_are_checked() {
    assert_eq!(
        message(read(&file(6, &[1], relu(), vec![]))),
        "opset 6, expected 7 to 28"
    );
    let mut without = file(17, &[1], relu(), vec![]);
    without.opset_import[0].domain = "ai.onnx.ml".to_owned();
    assert_eq!(message(read(&without)), "opset missing, expected 7 to 28");
}

#[test]
fn files_of_other_formats_are_errors() {
    let fault = |bytes: &[u8]| message(read_bytes(bytes, &ReadOptions::default()));
    assert_eq!(
        fault(b""),
        "not an ONNX file, or an empty one: it contains no graph"
    );
    assert!(fault(b"PK\x03\x04").starts_with("not an ONNX file: "));
    let missing = crate::read(
        std::path::Path::new("missing.onnx"),
        &ReadOptions::default(),
    );
    assert!(message(missing).starts_with("missing.onnx: "));
}

#[test]
fn damaged_files_are_errors() {
    let weight = numbers("w", &[2, 2], &[1.0; 4]);
    let nodes = vec![node("MatMul", &["x", "w"], &["y"], &[])];
    let bytes = file(17, &[1, 2], nodes, vec![weight]).encode_to_vec();
    for length in 0..bytes.len() {
        let _ = read_bytes(&bytes[..length], &ReadOptions::default());
    }
    for index in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[index] ^= 1 << bit;
            let _ = read_bytes(&damaged, &ReadOptions::default());
        }
    }
}

#[test]
fn large_results_are_refused() {
    let fault = |nodes, constants| message(read(&file(17, &[1, 4], nodes, constants)));
    let expand = vec![
        node("ConstantOfShape", &["n"], &["c"], &[]),
        node("Add", &["x", "c"], &["y"], &[]),
    ];
    assert_eq!(
        fault(expand.clone(), vec![list("n", &[1 << 30, 4])]),
        "y (Add, opset 17): constants of one number with 4294967296 elements, expected at most 268435456"
    );
    let summed = vec![
        node("ConstantOfShape", &["n"], &["c"], &[]),
        node("ReduceSum", &["c"], &["s"], &[]),
        node("Add", &["x", "s"], &["y"], &[]),
    ];
    assert_eq!(
        fault(summed, vec![list("n", &[1 << 30, 4])]),
        "s (ReduceSum, opset 17): a constant of 4294967296 elements, expected at most 16777216"
    );
    assert_eq!(
        fault(expand, vec![list("n", &[1 << 50])]),
        "c (ConstantOfShape, opset 17): a length is 1125899906842624, expected 0 to 2^40"
    );
    let values = vec![node("Expand", &["x", "n"], &["y"], &[])];
    assert_eq!(
        fault(values, vec![list("n", &[1 << 30, 1 << 10, 4])]),
        "y (Expand, opset 17): a tensor has shape [1073741824, 1024, 4], expected at most 2^40 elements"
    );
    let resize = vec![node("Upsample", &["x", "s"], &["y"], &[])];
    let huge = file(9, &[1, 4], resize, vec![numbers("s", &[2], &[1.0, 1e9])]);
    assert!(message(read(&huge)).contains("expected at most 16777216"));
    // Many constants, each in the limits.
    let mut nodes = vec![node("Relu", &["x"], &["v0"], &[])];
    for i in 0..40 {
        let [c, m, from, to] = [
            format!("c{i}"),
            format!("m{i}"),
            format!("v{i}"),
            format!("v{}", i + 1),
        ];
        nodes.push(node("ConstantOfShape", &["n"], &[&c], &[]));
        nodes.push(node("ReduceMax", &[&c], &[&m], &[int("keepdims", 0)]));
        nodes.push(node("Add", &[&from, &m], &[&to], &[]));
    }
    nodes.push(node("Relu", &["v40"], &["y"], &[]));
    assert!(
        fault(nodes, vec![list("n", &[1 << 22])])
            .contains("the computed constants of the file are too large")
    );
}

fn external(location: &str, offset: &str) -> TensorProto {
    let entry = |key: &str, value: &str| StringStringEntryProto {
        key: key.to_owned(),
        value: value.to_owned(),
    };
    TensorProto {
        float_data: Vec::new(),
        data_location: DataLocation::External.into(),
        external_data: vec![entry("location", location), entry("offset", offset)],
        ..numbers("w", &[2], &[])
    }
}

#[test]
fn elements_in_other_files_are_read() {
    let folder = std::env::temp_dir().join(format!("receptive-onnx-{}", std::process::id()));
    fs::create_dir_all(folder.join("data")).expect("a folder");
    let elements: Vec<u8> = [9.0f32, 1.0, 2.0]
        .into_iter()
        .flat_map(f32::to_le_bytes)
        .collect();
    fs::write(folder.join("data/weights"), elements).expect("written");
    let path = folder.join("model.onnx");
    let read = |location: &str, offset: &str| {
        let nodes = vec![node("Add", &["x", "w"], &["y"], &[])];
        let file = file(17, &[1, 2], nodes, vec![external(location, offset)]);
        fs::write(&path, file.encode_to_vec()).expect("written");
        crate::read(&path, &ReadOptions::default())
    };
    let model = read("data/weights", "4").expect("read");
    let sum = super::interpreter::run(&model.graph, &[10.0, 10.0]);
    assert_eq!(sum[0].values, [11.0, 12.0]);
    let reason = |location: &str, offset: &str| {
        let text = message(read(location, offset));
        let prefix = "the elements of w cannot be read from another file: ";
        text.strip_prefix(prefix).map(str::to_owned).unwrap_or(text)
    };
    assert_eq!(
        reason("data/weights", "8"),
        "data/weights has 12 bytes, expected 8 bytes at 8"
    );
    assert_eq!(
        reason("data/weights", "x"),
        "offset is \"x\", expected a number"
    );
    let outside = "expected a path inside the model's folder";
    assert!(reason("../weights", "0").ends_with(outside));
    assert!(reason("/etc/passwd", "0").ends_with(outside));
    assert!(reason("data", "0").contains("data"));
    assert!(reason("missing", "0").starts_with("missing: "));
    let nodes = vec![node("Add", &["x", "w"], &["y"], &[])];
    let bytes = file(17, &[1, 2], nodes, vec![external("data/weights", "0")]).encode_to_vec();
    assert_eq!(
        message(read_bytes(&bytes, &ReadOptions::default())),
        "the elements of w cannot be read from another file: data/weights: the model is not read from a file"
    );
    fs::remove_dir_all(folder).expect("removed");
}

#[test]
fn metadata_and_producer_are_kept() {
    let mut model = file(17, &[1, 2], relu(), vec![]);
    model.producer_name = "pytorch".to_owned();
    model.metadata_props = vec![StringStringEntryProto {
        key: "labels".to_owned(),
        value: "[]".to_owned(),
    }];
    let model = read(&model).expect("read");
    assert_eq!((model.producer.as_str(), model.opset), ("pytorch", 17));
    assert_eq!(model.metadata["labels"], "[]");
}
