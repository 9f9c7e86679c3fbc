//! Tests of ONNX files as the network of a command.

use std::fs;
use std::path::{Path, PathBuf};

use npyz::WriterBuilder;
use prost::Message;
use receptive_layers::compile::Compiled;
use receptive_onnx::proto::{
    AttributeProto, AttributeType, DataType, Dimension, DimensionValue, GraphProto, ModelProto,
    NodeProto, OperatorSetIdProto, StringStringEntryProto, TensorProto, TensorShapeProto,
    TensorTypeProto, TypeProto, ValueInfoProto,
};

use crate::{error_line, files, json, output, photo, receptive, text};

/// Writes the network `model` with its embedded weights to a file in `folder`.
fn export(folder: &Path, model: &str, more: &[&str]) -> PathBuf {
    let path = folder.join(format!("{model}{}.onnx", more.concat()));
    receptive(&[&["export", model, "-o", text(&path)], more].concat())
        .assert()
        .success();
    path
}

/// The predictions of `classify` for an image.
fn predictions(image: &str, model: &str, more: &[&str]) -> serde_json::Value {
    let arguments = [&["classify", image, "--model", model, "--json"], more].concat();
    json(&output(&arguments))[0]["predictions"].take()
}

fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Int.into(),
        i,
        ..AttributeProto::default()
    }
}

fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Ints.into(),
        ints: ints.to_vec(),
        ..AttributeProto::default()
    }
}

fn node(operator: &str, inputs: &[&str], output: &str, attributes: &[AttributeProto]) -> NodeProto {
    NodeProto {
        name: format!("{operator} {output}"),
        op_type: operator.to_owned(),
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        attribute: attributes.to_vec(),
        ..NodeProto::default()
    }
}

/// Name and shape of an input or output. A length of 0 is open.
fn info(name: &str, shape: &[i64]) -> ValueInfoProto {
    let dim = shape.iter().map(|&length| Dimension {
        value: Some(match length {
            0 => DimensionValue::DimParam("n".to_owned()),
            _ => DimensionValue::DimValue(length),
        }),
    });
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            tensor_type: Some(TensorTypeProto {
                elem_type: DataType::Float.into(),
                shape: Some(TensorShapeProto { dim: dim.collect() }),
            }),
        }),
    }
}

/// A network with the outputs `outputs`. The parameter `w` is of shape `[4, 3]`.
fn network(inputs: &[(&str, &[i64])], nodes: Vec<NodeProto>, outputs: &[&str]) -> ModelProto {
    let elements = (0..12).map(|n| ((n * 5 % 12) as f32 - 5.0) / 2.0);
    ModelProto {
        ir_version: 8,
        producer_name: "tests".to_owned(),
        graph: Some(GraphProto {
            node: nodes,
            initializer: vec![TensorProto {
                name: "w".to_owned(),
                dims: vec![4, 3],
                data_type: DataType::Float.into(),
                float_data: elements.collect(),
                ..TensorProto::default()
            }],
            input: inputs
                .iter()
                .map(|(name, shape)| info(name, shape))
                .collect(),
            output: outputs.iter().map(|name| info(name, &[])).collect(),
            ..GraphProto::default()
        }),
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: 17,
        }],
        ..ModelProto::default()
    }
}

/// A classifier of four classes, of the means of the channels of `x`, with `more` nodes after the class scores `s`.
fn classifier(input: &[i64], more: Vec<NodeProto>, result: &str) -> ModelProto {
    let planes = match input {
        [.., 3] => node("Transpose", &["x"], "t", &[ints("perm", &[0, 3, 1, 2])]),
        _ => node("Relu", &["x"], "t", &[]),
    };
    let mut nodes = vec![
        planes,
        node("GlobalAveragePool", &["t"], "p", &[]),
        node("Flatten", &["p"], "f", &[]),
        node("Gemm", &["f", "w"], "s", &[int("transB", 1)]),
    ];
    nodes.extend(more);
    network(&[("x", input)], nodes, &[result])
}

fn write(folder: &Path, name: &str, file: &ModelProto) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, file.encode_to_vec()).expect("written");
    path
}

/// Writes an array of the numbers 0, 0.25, 0.5, … below 2 in turn.
fn write_array(folder: &Path, name: &str, shape: &[u64]) -> PathBuf {
    let path = folder.join(name);
    let file = fs::File::create(&path).expect("created");
    let options = npyz::WriteOptions::new().default_dtype().shape(shape);
    let mut array = options.writer(file).begin_nd().expect("begun");
    let count = shape.iter().product::<u64>();
    let values = (0..count).map(|n| (n * 3 % 8) as f32 / 4.0);
    array.extend(values).expect("written");
    array.finish().expect("finished");
    path
}

fn read_array(path: &Path) -> (Vec<u64>, Vec<f32>) {
    let bytes = fs::read(path).expect("written");
    let array = npyz::NpyFile::new(&bytes[..]).expect("an array");
    let shape = array.shape().to_vec();
    (shape, array.into_vec::<f32>().expect("float32"))
}

#[test]
fn an_exported_network_gives_the_answers_of_the_registered_one() {
    let folder = tempfile::tempdir().expect("a folder");
    for (model, image) in [
        ("lenet5", photo("../digits/3.png")),
        ("mobilenet-v2", photo("coffee.png")),
    ] {
        let expected = predictions(text(&image), model, &[]);
        assert!(
            expected[0]["probability"].as_f64() > Some(0.9),
            "{expected}"
        );
        let file = export(folder.path(), model, &[]);
        assert_eq!(predictions(text(&image), text(&file), &[]), expected);
    }
    // The file normalizes pixels, which changes the last digits.
    let (model, image) = ("lenet5", photo("../digits/3.png"));
    let expected = predictions(text(&image), model, &[]);
    for more in [&["--with-preprocessing"][..], &["--batch", "4"]] {
        let file = export(folder.path(), model, more);
        let found = predictions(text(&image), text(&file), &[]);
        assert_eq!(found[0]["label"], expected[0]["label"]);
        let [found, expected] = [&found, &expected].map(|one| one[0]["probability"].as_f64());
        let difference = found.expect("a number") - expected.expect("a number");
        assert!(difference.abs() < 1e-6, "{more:?}: {difference}");
    }
}

#[test]
fn an_exported_network_has_the_costs_and_the_drawing_of_the_registered_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = export(folder.path(), "lenet5", &[]);
    for command in [
        &["summary"][..],
        &["draw"],
        &["draw", "--style", "graph", "--format", "json"],
    ] {
        let of = |model: &str| output(&[&command[..1], &[model], &command[1..]].concat());
        assert_eq!(of(text(&file)), of("lenet5"));
    }
    let four = json(&output(&[
        "summary",
        text(&file),
        "--input",
        "4x1x32x32",
        "--depth",
        "1",
        "--json",
    ]));
    assert_eq!(four["model"], "lenet5");
    assert_eq!(four["input"], serde_json::json!([4, 1, 32, 32]));
}

#[test]
fn a_file_is_timed_with_its_weights() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = export(folder.path(), "lenet5", &[]);
    let picture = folder.path().join("roofline.svg");
    let arguments = [
        "bench",
        text(&file),
        "--seconds",
        "0.01",
        "--batch",
        "3",
        "--profile",
        "--roofline",
        text(&picture),
    ];
    let report = json(&output(&[&arguments[..], &["--json"]].concat()));
    assert_eq!(report["name"], "lenet5");
    assert_eq!(report["batch"], 3);
    assert!(report["load_ms"].as_f64() > Some(0.0));
    assert!(report["profile"]["steps"].as_array().expect("a list").len() > 5);
    assert!(
        fs::read_to_string(&picture)
            .expect("drawn")
            .contains("lenet5")
    );

    // Several outputs, of a vector.
    let nodes = vec![
        node("Gemm", &["x", "w"], "s", &[int("transB", 1)]),
        node("Relu", &["s"], "r", &[]),
    ];
    let two = network(&[("x", &[2, 3])], nodes, &["s", "r"]);
    let file = write(folder.path(), "two.onnx", &two);
    let report = json(&output(&[
        "bench",
        text(&file),
        "--seconds",
        "0.01",
        "--json",
    ]));
    assert_eq!(report["batch"], 2);
}

#[test]
fn arrays_of_any_rank_are_computed() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.npy");
    let run = |file: &Path, input: &Path, more: &[&str]| {
        let arguments = ["run", text(file), "--input", text(input), "--output"];
        output(&[&arguments[..], &[text(&out)], more].concat());
        read_array(&out)
    };
    let nodes = vec![
        node("Gemm", &["x", "w"], "s", &[int("transB", 1)]),
        node("Relu", &["s"], "r", &[]),
    ];
    let vectors = network(&[("x", &[0, 3])], nodes, &["s", "r"]);
    let vectors = write(folder.path(), "vectors.onnx", &vectors);
    // More than a batch.
    let input = write_array(folder.path(), "in.npy", &[11, 3]);
    let (shape, scores) = run(&vectors, &input, &[]);
    assert_eq!(shape, [11, 4]);
    // The first row is [0, 0.75, 1.5], the first row of the weights [-2.5, 0, 2.5].
    assert_eq!(scores[0], 3.75);
    let (shape, positive) = run(&vectors, &input, &["--output-name", "r"]);
    assert_eq!(shape, [11, 4]);
    let expected: Vec<f32> = scores.iter().map(|score| score.max(0.0)).collect();
    assert_eq!(positive, expected);

    let line = network(&[("x", &[5])], vec![node("Neg", &["x"], "y", &[])], &["y"]);
    let line = write(folder.path(), "line.onnx", &line);
    let input = write_array(folder.path(), "line.npy", &[5]);
    let expected = vec![0.0, -0.75, -1.5, -0.25, -1.0];
    assert_eq!(run(&line, &input, &[]), (vec![5], expected));

    // The mean over the batch: the whole array at once, although the batch is open.
    let nodes = vec![node(
        "ReduceMean",
        &["x"],
        "y",
        &[ints("axes", &[0]), int("keepdims", 1)],
    )];
    let mean = write(
        folder.path(),
        "mean.onnx",
        &network(&[("x", &[0, 2])], nodes, &["y"]),
    );
    let input = write_array(folder.path(), "mean.npy", &[16, 2]);
    assert_eq!(run(&mean, &input, &[]), (vec![1, 2], vec![0.75, 1.0]));

    // Height and width are those of the array.
    let open = write(
        folder.path(),
        "open.onnx",
        &classifier(&[0, 3, 0, 0], vec![], "s"),
    );
    let input = write_array(folder.path(), "open.npy", &[2, 3, 5, 7]);
    assert_eq!(run(&open, &input, &[]).0, [2, 4]);

    let exported = export(folder.path(), "lenet5", &[]);
    let input = write_array(folder.path(), "images.npy", &[9, 1, 32, 32]);
    let found = run(&exported, &input, &[]);
    assert_eq!(found.0, [9, 10]);
    assert_eq!(found, run(Path::new("lenet5"), &input, &[]));
}

#[test]
fn a_plan_of_a_file_loads_and_classifies() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = export(folder.path(), "lenet5", &[]);
    let plan = folder.path().join("x.plan");
    output(&["compile", text(&file), "-o", text(&plan), "--batch", "2"]);
    let loaded = Compiled::load(&plan, None).expect("loaded");
    assert_eq!((loaded.batch(), loaded.input()), (2, [1, 32, 32]));
    assert_eq!(loaded.metadata().network.as_deref(), Some("lenet5"));
    assert_eq!(loaded.metadata().labels.as_ref().map(Vec::len), Some(10));
    assert!(loaded.metadata().preprocessing.is_some());
    let image = photo("../digits/3.png");
    let found = predictions(text(&image), "lenet5", &["--weights", text(&plan)]);
    assert_eq!(found[0]["label"], "3");

    let other = write(
        folder.path(),
        "other.onnx",
        &classifier(&[0, 3, 0, 0], vec![], "s"),
    );
    let input = ["--input", "2x3x8x8"];
    output(&[&["compile", text(&other), "-o", text(&plan)][..], &input].concat());
    let loaded = Compiled::load(&plan, None).expect("loaded");
    assert_eq!((loaded.batch(), loaded.input()), (2, [3, 8, 8]));
    assert_eq!(loaded.metadata().network.as_deref(), Some("other"));
}

#[test]
fn the_preprocessing_and_labels_of_other_files_are_options() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, file: &ModelProto| write(folder.path(), name, file);
    let image = photo("coffee.png");
    let image = text(&image);
    let scores = write("scores.onnx", &classifier(&[0, 3, 224, 224], vec![], "s"));
    let expected = predictions(image, text(&scores), &[]);
    assert_eq!(expected.as_array().expect("a list").len(), 4);
    let label = expected[0]["label"].as_str().expect("a label");
    assert_eq!(label, format!("class {}", expected[0]["index"]));
    let imagenet = [
        "--resize",
        "256",
        "--mean",
        "0.485,0.456,0.406",
        "--std",
        "0.229,0.224,0.225",
    ];
    assert_eq!(predictions(image, text(&scores), &imagenet), expected);
    let other = predictions(image, text(&scores), &["--mean", "0", "--std", "1"]);
    assert_ne!(other, expected);

    // Probabilities are not converted to probabilities again.
    let probability = |one: &serde_json::Value| one["probability"].as_f64().expect("a number");
    for (name, operator, axis) in [
        ("softmax.onnx", "Softmax", -1),
        ("log.onnx", "LogSoftmax", 1),
    ] {
        let more = vec![node(operator, &["s"], "y", &[int("axis", axis)])];
        let file = write(name, &classifier(&[0, 3, 224, 224], more, "y"));
        let found = predictions(image, text(&file), &[]);
        for class in 0..4 {
            let (found, expected) = (&found[class], &expected[class]);
            assert_eq!(found["index"], expected["index"], "{name}");
            assert!(
                (probability(found) - probability(expected)).abs() < 1e-5,
                "{name}"
            );
        }
    }

    // Channels last, an open size, and a wide input, whose mean is that of the middle of the square.
    let last = write("last.onnx", &classifier(&[1, 224, 224, 3], vec![], "s"));
    let open = write("open.onnx", &classifier(&[0, 3, 0, 0], vec![], "s"));
    for (file, more) in [(&last, &[][..]), (&open, &["--crop", "224"])] {
        let found = predictions(image, text(file), more);
        assert_eq!(found[0]["index"], expected[0]["index"]);
    }
    let wide = write("wide.onnx", &classifier(&[0, 3, 30, 40], vec![], "s"));
    assert_eq!(
        predictions(image, text(&wide), &[])[0]["index"],
        expected[0]["index"]
    );

    let labels = folder.path().join("labels.txt");
    fs::write(&labels, "a\nb\nc\nd\n").expect("written");
    let named = predictions(image, text(&scores), &["--labels", text(&labels)]);
    let index = expected[0]["index"].as_u64().expect("a number");
    assert_eq!(named[0]["label"], ["a", "b", "c", "d"][index as usize]);

    // Rows, whose settings name the file's content.
    let rows = folder.path().join("rows.jsonl");
    let arguments = ["classify", image, "--model", text(&scores), "--output"];
    output(&[&arguments[..], &[text(&rows)][..]].concat());
    let row = json(&fs::read_to_string(&rows).expect("rows"));
    assert_eq!(row["label"], expected[0]["label"]);
}

#[test]
fn a_file_embeds_images() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = photo("../digits/3.png");
    let file = export(folder.path(), "lenet5", &[]);
    let vector = |model: &str, more: &[&str]| {
        let path = folder.path().join("vector.npy");
        let arguments = ["embed", text(&image), "--model", model, "--output"];
        output(&[&arguments[..], &[text(&path)], more].concat());
        read_array(&path)
    };
    let expected = vector("lenet5", &[]);
    assert_eq!(expected.0, [1, 84]);
    assert_eq!(vector(text(&file), &[]), expected);
    let logits = vector(text(&file), &["--layer", "logits"]);
    assert_eq!(logits.0, [1, 10]);
    let error = |model: &str, more: &[&str]| {
        error_line(&[&["embed", text(&image), "--model", model], more].concat())
    };
    let found = error(text(&file), &["--layer", "c3"]);
    assert!(
        found.contains("no output \"c3\"; its outputs are logits"),
        "{found}"
    );
    let found = error("lenet5", &["--crop", "32"]);
    assert!(
        found.contains("--crop applies only to ONNX files"),
        "{found}"
    );
}

#[test]
fn all_unsupported_operators_are_listed() {
    let folder = tempfile::tempdir().expect("a folder");
    let nodes = vec![
        node("Det", &["x"], "a", &[]),
        node("NonZero", &["x"], "b\u{1b}[2J", &[]),
        node("Relu", &["x"], "c", &[]),
    ];
    let file = network(&[("x", &[1, 1, 4, 4])], nodes, &["a", "b\u{1b}[2J", "c"]);
    let file = write(folder.path(), "x.onnx", &file);
    let done = receptive(&["summary", text(&file)])
        .assert()
        .code(2)
        .stdout("");
    let printed = String::from_utf8(done.get_output().stderr.clone()).expect("text");
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 3, "{printed}");
    assert!(lines[0].starts_with("error: ") && lines[0].ends_with("x.onnx: 2 unsupported nodes:"));
    assert!(
        lines[1].starts_with("  Det a (Det, opset 17): "),
        "{printed}"
    );
    assert!(
        lines[2].contains("b\\u{1b}[2J (NonZero, opset 17): "),
        "{printed}"
    );
    let one = network(
        &[("x", &[1, 1, 4, 4])],
        vec![node("Det", &["x"], "a", &[])],
        &["a"],
    );
    let one = write(folder.path(), "one.onnx", &one);
    let line = error_line(&["bench", text(&one)]);
    assert!(
        line.contains("unsupported node Det a (Det, opset 17)"),
        "{line}"
    );
}

#[test]
fn control_characters_of_names_are_escaped() {
    let folder = tempfile::tempdir().expect("a folder");
    let nodes = vec![node("Relu", &["x"], "\u{1b}[2J", &[])];
    let file = network(&[("x", &[1, 1, 4, 4])], nodes, &["\u{1b}[2J"]);
    let file = write(folder.path(), "x.onnx", &file);
    for arguments in [
        &["summary", text(&file)][..],
        &["bench", text(&file), "--profile", "--seconds", "0.01"],
    ] {
        let printed = output(arguments);
        assert!(printed.contains("\\u{1b}"), "{printed}");
        assert!(!printed.contains('\u{1b}'), "{printed:?}");
    }
}

#[test]
fn files_that_cannot_be_read_are_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    let write_bytes = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        path
    };
    let whole = fs::read(export(folder.path(), "lenet5", &[])).expect("read");
    let add = || vec![node("Add", &["x", "z"], "y", &[])];
    let two = network(&[("x", &[1, 3]), ("z", &[1, 3])], add(), &["y"]);
    let open = classifier(&[0, 3, 0, 0], vec![], "s");
    let mut damaged = ModelProto::decode(&whole[..]).expect("a message");
    for entry in &mut damaged.metadata_props {
        if entry.key == "preprocessing" {
            entry.value = "{\"resize\": -1}".to_owned();
        }
    }
    let mut labels = ModelProto::decode(&whole[..]).expect("a message");
    labels.metadata_props = vec![StringStringEntryProto {
        key: "labels".to_owned(),
        value: "[\"one\"]".to_owned(),
    }];
    let files_and_parts = [
        (folder.path().join("missing.onnx"), "cannot read"),
        (
            write_bytes("text.ONNX", b"no network"),
            "text.ONNX: not an ONNX file",
        ),
        (write_bytes("empty.onnx", b""), "not an ONNX file"),
        (
            write_bytes("short.onnx", &whole[..whole.len() / 2]),
            "not an ONNX file",
        ),
        (write_bytes("file", b"no network"), "not an ONNX file"),
        (
            write(folder.path(), "two.onnx", &two),
            "2 inputs (x, z), expected 1",
        ),
        (
            write(folder.path(), "open.onnx", &open),
            "state the height and width of the input with --",
        ),
        (
            write(folder.path(), "damaged.onnx", &damaged),
            "invalid metadata preprocessing",
        ),
    ];
    let input = write_array(folder.path(), "in.npy", &[1, 3]);
    let image = photo("../digits/3.png");
    let before = files(folder.path());
    let out = folder.path().join("out");
    for (file, part) in &files_and_parts {
        let file = text(file);
        for arguments in [
            &["summary", file][..],
            &["draw", file, "--format", "svg", "-o", text(&out)],
            &["bench", file],
            &["compile", file, "-o", text(&out)],
            &["run", file, "--input", text(&input), "--output", text(&out)],
            &[
                "classify",
                text(&image),
                "--model",
                file,
                "--output",
                text(&out),
                "--format",
                "csv",
            ],
            &[
                "embed",
                text(&image),
                "--model",
                file,
                "--output",
                text(&out),
                "--format",
                "npy",
            ],
        ] {
            let line = error_line(arguments);
            // An array states the height and width.
            let is_sized = arguments[0] == "run" && part.starts_with("state");
            assert!(is_sized || line.contains(part), "{arguments:?}: {line}");
        }
    }
    let labels = write(folder.path(), "labels.onnx", &labels);
    let line = error_line(&["classify", text(&image), "--model", text(&labels)]);
    assert!(line.contains("labels.onnx"), "{line}");
    fs::remove_file(labels).expect("removed");
    assert_eq!(files(folder.path()), before);
}

#[test]
fn options_that_do_not_apply_are_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    let lenet = export(folder.path(), "lenet5", &[]);
    let four = export(folder.path(), "lenet5", &["--batch", "4"]);
    let maps = vec![node("Relu", &["x"], "y", &[])];
    let maps = network(&[("x", &[1, 3, 8, 8])], maps, &["y"]);
    let maps = write(folder.path(), "maps.onnx", &maps);
    let images = write_array(folder.path(), "in.npy", &[2, 1, 32, 32]);
    let other = write_array(folder.path(), "other.npy", &[2, 1, 28, 28]);
    let image = photo("../digits/3.png");
    let (lenet, four, maps) = (text(&lenet), text(&four), text(&maps));
    let (images, other, image) = (text(&images), text(&other), text(&image));
    let before = files(folder.path());
    let out = folder.path().join("out.npy");
    let run = ["--output", text(&out), "--input"];
    let cases: &[(&[&[&str]], &str)] = &[
        #[cfg(feature = "train")]
        (
            &[&["bench", lenet, "--train"]],
            "expected a network that `receptive models` lists",
        ),
        (
            &[&["bench", lenet, "--engine", "eager"]],
            "expected the compiled engine",
        ),
        (
            &[&["bench", lenet, "--device", "flex"]],
            "expected the compiled engine",
        ),
        (
            &[&["bench", four, "--batch", "2"]],
            "the batch size 4, expected the requested 2",
        ),
        (
            &[&["bench", lenet, "--input", "1x1x28x28"]],
            "expected [batch, 1, 32, 32]",
        ),
        (
            &[&["summary", lenet, "--classes", "3"]],
            "--classes does not apply",
        ),
        (&[&["summary", lenet, "--train"]], "--train does not apply"),
        (
            &[&["summary", four, "--input", "2x1x32x32"]],
            "expected [4, 1, 32, 32]",
        ),
        (
            &[&["draw", lenet, "--format", "svg", "-o", lenet]],
            "is an input",
        ),
        (&[&["compile", lenet, "-o", lenet]], "is an input"),
        (
            &[&["compile", lenet, "-o", "x", "--weights", images]],
            "its weights are in the file",
        ),
        (
            &[&["compile", "lenet5", "-o", "x", "--input", "1x1x32x32"]],
            "only to ONNX files",
        ),
        (
            &[&["run", lenet], &run, &[images, "--weights", images]],
            "its weights are in the file",
        ),
        (
            &[&["run", lenet, "--input", images, "--output", images]],
            "is an input, and would be replaced",
        ),
        (
            &[&["run", lenet], &run, &[images, "--weights-key", "a"]],
            "its weights are in the file",
        ),
        (
            &[&["run", lenet], &run, &[images, "--engine", "eager"]],
            "the compiled engine",
        ),
        (
            &[&["run", lenet], &run, &[images, "--output-name", "c1"]],
            "its outputs are logits",
        ),
        (
            &[&["run", "lenet5"], &run, &[images, "--output-name", "c1"]],
            "only to ONNX files",
        ),
        (
            &[&["run", lenet], &run, &[other]],
            "shape [2, 1, 28, 28], expected [batch, 1, 32, 32]",
        ),
        (
            &[&["run", four], &run, &[images]],
            "expected [4, 1, 32, 32]",
        ),
        (
            &[&["classify", image, "--model", lenet, "--weights", images]],
            "are in the file",
        ),
        (
            &[&["classify", image, "--model", lenet, "--crop", "28"]],
            "requested 28",
        ),
        (
            &[&["classify", image, "--model", lenet, "--std", "0"]],
            "expected above 0",
        ),
        (
            &[&["classify", image, "--model", lenet, "--mean", "1,2"]],
            "three numbers",
        ),
        (
            &[&["classify", image, "--model", lenet, "--explain", "x"]],
            "--explain does not apply",
        ),
        (
            &[&["classify", image, "--model", "lenet5", "--std", "1"]],
            "only to ONNX files",
        ),
        (
            &[&["classify", image, "--model", maps]],
            "expected class scores [batch, classes]",
        ),
        (&[&["embed", image, "--model", maps]], "with --layer"),
        (
            &[&["explain", image, "--model", lenet, "-o", "x.png"]],
            "takes no ONNX files",
        ),
    ];
    for (arguments, part) in cases {
        let line = error_line(&arguments.concat());
        assert!(line.contains(part), "{arguments:?}: {line}");
    }
    assert_eq!(files(folder.path()), before);
}
