//! Tests of `classify` and `embed` on many images, with files of results.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

use receptive_layers::weights::StateDict;
use serde_json::Value;

use crate::resume::interrupted;
use crate::{error_line, files, json, output, photo, receptive, text};

/// Network of the tests that need many images.
const LENET: [&str; 2] = ["--model", "lenet5"];

/// Writes a list of `count` paths to `folder`: digits, and at some places files that are no images.
pub fn list(folder: &Path, count: usize) -> PathBuf {
    let damaged = folder.join("damaged, \"quoted\".png");
    fs::write(&damaged, b"\x89PNG\r\n\x1a\nnot really").expect("written");
    let lines = (0..count).map(|index| match index % 50 {
        7 => text(&damaged).to_owned(),
        31 => "no-such-file.png".to_owned(),
        _ => text(&photo(&format!("../digits/{}.png", index % 10))).to_owned(),
    });
    let list = folder.join("list.txt");
    fs::write(&list, lines.collect::<Vec<_>>().join("\n") + "\n").expect("written");
    list
}

/// Arguments of a run that writes the rows of `list` to `output`.
pub fn arguments<'a>(command: &'a str, list: &'a Path, output: &'a Path) -> Vec<&'a str> {
    let mut arguments = vec![
        command,
        "--files-from",
        text(list),
        "--output",
        text(output),
    ];
    arguments.extend(LENET);
    arguments
}

/// Runs the program, expects the exit code and returns standard error.
pub fn run(arguments: &[&str], code: i32) -> String {
    let done = receptive(arguments).assert().code(code).stdout("");
    String::from_utf8(done.get_output().stderr.clone()).expect("text")
}

pub fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).expect("text");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_row_has_the_predictions_of_the_image_or_its_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (rows, table) = (at("rows.jsonl"), at("rows.csv"));
    let coffee = photo("coffee.png");
    let images = [text(&coffee), "no-such.png"];
    let top = ["--top", "2"];
    for file in [&rows, &table] {
        let arguments = [&["classify"][..], &images, &top, &["--output", text(file)]].concat();
        let note = run(&arguments, 1);
        assert!(
            note.starts_with("note: 2 images in ") && note.contains("1 failed: 1 unreadable"),
            "{note}"
        );
    }
    let answers = [&["classify", "--json"][..], &images[..1], &top].concat();
    let predictions = &json(&output(&answers))[0]["predictions"];
    let rows = lines(&rows);
    let [row, failed] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    let (row, failed): (Value, Value) = (json(row), json(failed));
    assert_eq!(row["path"], text(&coffee));
    assert_eq!(row["label"], "espresso");
    assert_eq!(row["index"], 967);
    for (rank, prediction) in predictions.as_array().expect("a list").iter().enumerate() {
        assert_eq!(row["top_labels"][rank], prediction["label"]);
        assert_eq!(row["top_indices"][rank], prediction["index"]);
        let probability = |value: &Value| value.as_f64().expect("a number");
        let off =
            probability(&row["top_probabilities"][rank]) - probability(&prediction["probability"]);
        assert!(off.abs() < 1e-4, "off by {off}");
    }
    assert_eq!(failed["path"], "no-such.png");
    let error = failed["error"].as_str().expect("an error");
    assert!(error.starts_with("cannot be read: "), "{error}");
    assert_eq!(failed.as_object().expect("an object").len(), 2);

    let table = lines(&table);
    assert_eq!(
        table[0],
        "path,index,label,probability,index_2,label_2,probability_2,inverted,error"
    );
    let probability = &row["probability"];
    let start = format!("{},967,espresso,{probability},925,consomme,", text(&coffee));
    assert!(table[1].starts_with(&start), "{}", table[1]);
    assert!(table[2].starts_with("no-such.png,,,,,,,,"), "{}", table[2]);
}

#[test]
fn the_head_computes_the_logits_from_the_embedding() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("vectors.jsonl");
    let coffee = photo("coffee.png");
    run(&["embed", text(&coffee), "--output", text(&file)], 0);
    let row = json(&lines(&file)[0]);
    let vector: Vec<f64> = serde_json::from_value(row["vector"].clone()).expect("numbers");
    assert_eq!(vector.len(), 1280);

    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    let weights = StateDict::open(assets.join("mobilenet_v2-f16.safetensors")).expect("weights");
    let values = |name: &str| {
        let (_, tensor) = weights
            .iter()
            .find(|(found, _)| *found == name)
            .expect(name);
        tensor
            .data()
            .expect("values")
            .iter::<f64>()
            .collect::<Vec<f64>>()
    };
    let (weight, bias) = (values("classifier.1.weight"), values("classifier.1.bias"));
    let logits: Vec<f64> = weight
        .chunks(1280)
        .zip(bias)
        .map(|(row, bias)| bias + row.iter().zip(&vector).map(|(a, b)| a * b).sum::<f64>())
        .collect();
    let total: f64 = logits.iter().map(|logit| logit.exp()).sum();
    let espresso = logits[967].exp() / total;
    let answers = json(&output(&["classify", "--json", text(&coffee)]));
    let expected = answers[0]["predictions"][0]["probability"].as_f64();
    let off = espresso - expected.expect("a probability");
    assert!(off.abs() < 1e-4, "off by {off}");

    // The mean of the last stage's feature maps is the embedding.
    let stage = output(&["embed", text(&coffee), "--layer", "last", "--threads", "1"]);
    let stage: Vec<f64> = serde_json::from_value(json(&stage)["vector"].clone()).expect("numbers");
    let largest = vector.iter().copied().fold(0.0, f64::max);
    for (a, b) in vector.iter().zip(&stage) {
        assert!((a - b).abs() < 1e-5 * largest, "{a} and {b}");
    }
    let normalized = json(&output(&["embed", text(&coffee), "--normalize"]));
    let normalized: Vec<f64> =
        serde_json::from_value(normalized["vector"].clone()).expect("numbers");
    let length = vector.iter().map(|v| v * v).sum::<f64>().sqrt();
    for (a, b) in vector.iter().zip(&normalized) {
        assert!((a / length - b).abs() < 1e-6, "{a} and {b}");
    }
}

#[test]
fn an_unknown_layer_is_an_error_that_lists_the_stages() {
    let coffee = photo("coffee.png");
    for engine in ["compiled", "eager"] {
        let line = error_line(&[
            "embed",
            text(&coffee),
            "--layer",
            "conv9",
            "--engine",
            engine,
        ]);
        assert!(
            line.contains("conv9") && line.contains("bottleneck7"),
            "{line}"
        );
    }
}

#[test]
fn rows_do_not_depend_on_threads_or_shards() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let list = list(folder.path(), 205);
    let expected = at("expected.jsonl");
    let note = run(&arguments("classify", &list, &expected), 1);
    assert!(note.contains("8 failed: 4 damaged, 4 unreadable"), "{note}");
    let expected = fs::read(expected).expect("rows");
    for threads in ["1", "3", "16"] {
        let file = at(&format!("{threads}.jsonl"));
        let mut arguments = arguments("classify", &list, &file);
        arguments.extend(["--threads", threads]);
        run(&arguments, 1);
        assert_eq!(
            fs::read(&file).expect("rows"),
            expected,
            "{threads} threads"
        );
    }
    let mut joined = Vec::new();
    for shard in ["1/4", "2/4", "3/4", "4/4"] {
        let file = at("shard.jsonl");
        let mut arguments = arguments("classify", &list, &file);
        arguments.extend(["--shard", shard]);
        run(&arguments, 1);
        joined.extend(fs::read(&file).expect("rows"));
    }
    assert_eq!(joined, expected);
    for shard in ["0/4", "5/4", "1", "a/b"] {
        let line = error_line(&["classify", "a.png", "--shard", shard]);
        assert!(line.contains("K/N"), "{line}");
    }
}

#[test]
fn images_come_from_archives_patterns_and_lists() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let digit = |index: usize| fs::read(photo(&format!("../digits/{index}.png"))).expect("a digit");
    let mut archive = tar::Builder::new(Vec::new());
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, name, bytes)
            .expect("added");
    };
    for index in 0..4 {
        add(&format!("digits/{index}.png"), &digit(index));
        add(&format!("digits/{index}.cls"), b"label");
    }
    add("digits/._0.png", b"a resource fork");
    add("damaged.png", b"\x89PNG\r\n\x1a\nnot really");
    let archive = archive.into_inner().expect("an archive");
    fs::write(at("digits.tar"), &archive).expect("written");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&archive).expect("compressed");
    fs::write(at("digits.tgz"), gzip.finish().expect("compressed")).expect("written");
    fs::write(at("cut.tar"), &archive[..1536]).expect("written");
    for index in 5..8 {
        fs::write(at(&format!("{index}.png")), digit(index)).expect("written");
    }

    let labels = |arguments: &[&str], code: i32, input: &str| {
        let all = [
            &["classify", "--format", "jsonl", "--top", "1"][..],
            &LENET,
            arguments,
        ];
        let mut command = receptive(&all.concat());
        let done = command.write_stdin(input).assert().code(code);
        let text = String::from_utf8(done.get_output().stdout.clone()).expect("text");
        let rows = text.lines().map(json);
        let label = |row: Value| match row["label"].as_str() {
            Some(label) => label.to_owned(),
            None => row["error"].as_str().expect("an error").to_owned(),
        };
        rows.map(label).collect::<Vec<_>>()
    };
    for name in ["digits.tar", "digits.tgz"] {
        let archive = at(name);
        let found = labels(&[text(&archive)], 1, "");
        assert_eq!(found[..4], ["0", "1", "2", "3"]);
        assert_eq!(found.len(), 5);
        assert_eq!(
            labels(&[text(&archive), "--shard", "2/2"], 1, "")[..2],
            ["2", "3"]
        );
    }
    let archive = at("digits.tar");
    let cut = at("cut.tar");
    let found = labels(&[text(&cut)], 1, "");
    assert_eq!(found[0], "0");
    assert!(found[1].contains("cannot be read"), "{found:?}");

    // The row of an archive that cannot be read counts as an image when a run is continued.
    let (expected, rows) = (at("expected.csv"), at("rows.csv"));
    let one = at("5.png");
    let images = [
        "classify",
        "no-such.tar",
        text(&archive),
        text(&one),
        text(&one),
    ];
    let to = |file, more: &[&str]| {
        run(
            &[&images[..], &LENET, &["--output", file], more].concat(),
            1,
        );
    };
    to(text(&expected), &[]);
    let all = lines(&expected);
    assert_eq!(all.len(), 1 + 1 + 5 + 2);
    for kept in 1..all.len() {
        interrupted(
            &[&images[..], &LENET, &["--output", text(&rows), "--resume"]].concat(),
            &at("rows.csv.part"),
        );
        fs::write(at("rows.csv.part"), all[..kept].join("\n") + "\n").expect("written");
        to(text(&rows), &["--resume"]);
        assert_eq!(lines(&rows), all, "{kept} lines");
        fs::remove_file(&rows).expect("removed");
    }
    fs::write(at("empty.tar"), [0; 1024]).expect("written");
    let empty = at("empty.tar");
    assert!(labels(&[text(&empty)], 2, "")[0].contains("no image"));

    fs::write(at("text.tar"), [b'x'; 2048]).expect("written");
    let junk = at("text.tar");
    assert!(labels(&[text(&junk)], 2, "")[0].contains("is not a tar archive"));
    // A folder in a list that contains no image is a row, and pipes are left out.
    fs::create_dir(at("empty")).expect("made");
    let mut list = format!("{}\n{}\n", text(&at("empty")), text(&one));
    if cfg!(unix) {
        let pipe = at("pipe.png");
        let made = Process::new("mkfifo").arg(&pipe).status().expect("run");
        assert!(made.success());
        list += text(&pipe);
    }
    let found = labels(&["-"], 1, &list);
    assert!(
        found[0].contains("contains no image") && found[1..] == ["5"],
        "{found:?}"
    );

    let pattern = at("[5-7].png");
    assert_eq!(labels(&[text(&pattern)], 0, ""), ["5", "6", "7"]);
    let line = error_line(&["classify", text(&at("*.gif"))]);
    assert!(line.contains("no file matches"), "{line}");

    let paths: Vec<PathBuf> = (5..8).rev().map(|n| at(&format!("{n}.png"))).collect();
    let paths: Vec<&str> = paths.iter().map(|path| text(path)).collect();
    assert_eq!(labels(&["-"], 0, &paths.join("\n")), ["7", "6", "5"]);
    assert_eq!(
        labels(&["--files-from", "-"], 0, &(paths.join("\0") + "\0")),
        ["7", "6", "5"]
    );
    let line = error_line(&["classify", "--files-from", "no-such-list"]);
    assert!(line.contains("no-such-list"), "{line}");
    error_line(&["classify"]);
}

#[test]
fn unusable_files_of_results_are_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    let coffee = photo("coffee.png");
    for (file, part) in [
        ("rows.txt", ".jsonl, .csv, .parquet or .npy"),
        ("rows.npy", "embed"),
        ("no-such-folder/rows.csv", "cannot write"),
        #[cfg(not(feature = "parquet"))]
        ("rows.parquet", "--features parquet"),
    ] {
        let file = folder.path().join(file);
        let line = error_line(&["classify", text(&coffee), "--output", text(&file)]);
        assert!(line.contains(part), "{line}");
        assert_eq!(files(folder.path()), [""; 0], "{}", file.display());
    }
    let input = folder.path().join("input.csv");
    fs::copy(&coffee, &input).expect("copied");
    let line = error_line(&["classify", text(&input), "--output", text(&input)]);
    assert!(line.contains("is an input"), "{line}");
    let kept = folder.path().join("kept.csv");
    run(&["classify", text(&coffee), "--output", text(&kept)], 0);
    let rows = fs::read(&kept).expect("rows");
    let line = error_line(&["classify", "no-such.png", "--output", text(&kept)]);
    assert!(
        line.contains("none of 1 images") && line.contains("unchanged"),
        "{line}"
    );
    assert_eq!(fs::read(&kept).expect("rows"), rows);
    assert_eq!(files(folder.path()), ["input.csv", "kept.csv"]);
    let line = error_line(&["embed", text(&coffee), "--format", "npy"]);
    assert!(line.contains("needs a file"), "{line}");
    error_line(&["classify", text(&coffee), "--resume"]);
    let line = error_line(&["classify", text(&coffee), "--output", "-", "--resume"]);
    assert!(line.contains("standard output"), "{line}");
    // An empty part replaces a file, as any part does.
    let shard = ["--shard", "1/2", "--output", text(&kept)];
    run(&[&["classify", text(&coffee)][..], &shard].concat(), 0);
    assert_eq!(lines(&kept).len(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_a_closed_pipe_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = list(folder.path(), 500);
    let full = Path::new("/dev/full");
    let all = [
        &arguments("classify", &list, full)[..],
        &["--format", "csv"],
    ]
    .concat();
    let line = error_line(&all);
    assert!(line.contains("/dev/full"), "{line}");

    let photos = photo("");
    for arguments in [
        ["classify", "--format", "jsonl", text(&photos)],
        ["embed", "--format", "csv", text(&photos)],
    ] {
        let mut child = Process::new(env!("CARGO_BIN_EXE_receptive"))
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        drop(child.stdout.take());
        assert!(child.wait().expect("ended").success(), "{arguments:?}");
    }
}

#[test]
fn rows_go_to_standard_output_as_they_are_computed() {
    let digits = photo("../digits");
    let names = |format: &str| {
        let all = [&["classify", text(&digits), "--format", format][..], &LENET].concat();
        output(&all).lines().count()
    };
    assert_eq!((names("jsonl"), names("csv")), (10, 11));
    let text = output(&[&["embed", text(&digits)][..], &LENET].concat());
    let lengths = text
        .lines()
        .map(|line| json(line)["vector"].as_array().map(Vec::len));
    assert_eq!(lengths.collect::<BTreeSet<_>>(), BTreeSet::from([Some(84)]));
}
