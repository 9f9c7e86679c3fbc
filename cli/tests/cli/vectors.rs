//! Tests of `similar`, `duplicates` and `probe`.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use receptive_googlenet::GoogLeNetConfig;
use receptive_layers::image::{self, RgbImage};
use receptive_layers::network::NetworkConfig;
use receptive_layers::weights::{self, FloatType, Format, StateDict};
use serde_json::Value;

use crate::{error_line, json, output, photo, receptive, text};

/// Writes photos to `folder`: the sample photos, and copies of two of them that are slightly darker or cut.
/// Returns the folder of the photos.
fn photos(folder: &Path) -> PathBuf {
    let photos = folder.join("photos");
    fs::create_dir(&photos).expect("made");
    for name in ["chelsea.png", "coffee.png"] {
        let original = image::open(photo(name)).expect("a photo");
        let mut darker = original.clone();
        for sample in darker.iter_mut() {
            *sample -= *sample / 20;
        }
        let (width, height) = (original.width() - 6, original.height() - 4);
        let cut = RgbImage::from_fn(width, height, |x, y| *original.get_pixel(x + 3, y + 2));
        for (kind, photo) in [("a", original), ("b", darker), ("c", cut)] {
            let path = photos.join(format!("{}-{kind}.png", name.trim_end_matches(".png")));
            photo.save(path).expect("written");
        }
    }
    fs::copy(photo("rocket.jpg"), photos.join("rocket.jpg")).expect("copied");
    fs::write(photos.join("damaged.png"), "\x1b[31m").expect("written");
    photos
}

/// Embeds `photos` into a file for each extension.
fn embedded(photos: &Path, folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let file = |extension: &&str| {
        let file = folder.join(format!("vectors.{extension}"));
        let arguments = ["embed", text(photos), "--output", text(&file)];
        receptive(&arguments).assert().code(1);
        file
    };
    extensions.iter().map(file).collect()
}

const EXTENSIONS: &[&str] = &[
    "npy",
    "jsonl",
    "csv",
    #[cfg(feature = "parquet")]
    "parquet",
];

#[test]
fn near_duplicates_are_in_one_group_in_every_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let photos = photos(folder.path());
    let files = embedded(&photos, folder.path(), EXTENSIONS);
    let path = |name: &str| text(&photos.join(name)).to_owned();
    let mut expected = None;
    for file in &files {
        let done = receptive(&[
            "duplicates",
            text(file),
            "--threshold",
            "0.9",
            "--format",
            "json",
        ])
        .assert()
        .success();
        let note = String::from_utf8_lossy(&done.get_output().stderr).into_owned();
        assert!(
            note.contains("images without a vector: 1")
                && note.contains("6 of 7 images, in groups: 2"),
            "{note}"
        );
        let found = String::from_utf8(done.get_output().stdout.clone()).expect("text");
        let groups = json(&found);
        let paths = |group: usize| {
            let images = groups[group]["images"].as_array().expect("a list");
            let paths = images
                .iter()
                .map(|image| image["path"].as_str().expect("a path").to_owned());
            paths.collect::<Vec<_>>()
        };
        for (group, name) in [(0, "chelsea"), (1, "coffee")] {
            let names = ["a", "b", "c"].map(|kind| path(&format!("{name}-{kind}.png")));
            assert_eq!(paths(group), names);
        }
        let similarity = |image: &Value| image["similarity"].as_f64().expect("a number");
        let images = groups[0]["images"].as_array().expect("a list");
        assert!((similarity(&images[0]) - 1.0).abs() < 1e-9);
        assert!((0.9..1.0).contains(&similarity(&images[1])));
        assert_eq!(
            expected.get_or_insert(found.clone()),
            &found,
            "{}",
            file.display()
        );
    }

    let page = folder.path().join("groups.html");
    let table = folder.path().join("groups.csv");
    for file in [&page, &table] {
        let arguments = [
            "duplicates",
            text(&files[0]),
            "--threshold",
            "0.9",
            "--output",
            text(file),
        ];
        receptive(&arguments).assert().success().stdout("");
    }
    let page = fs::read_to_string(page).expect("a page");
    assert_eq!(page.matches("<img src=\"data:image/png;base64,").count(), 6);
    assert_eq!(page.matches("<section>").count(), 2);
    let line = error_line(&[
        "duplicates",
        text(&files[0]),
        "--format",
        "csv",
        "-o",
        text(&files[0]),
    ]);
    assert!(line.contains("is an input"), "{line}");
    let table = fs::read_to_string(table).expect("a table");
    assert!(table.starts_with(&format!(
        "group,path,similarity\n1,{},1\n",
        path("chelsea-a.png")
    )));
    assert_eq!(table.lines().count(), 7);
}

#[test]
fn the_most_similar_images_are_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let photos = photos(folder.path());
    let files = embedded(&photos, folder.path(), &["npy"]);
    let index = text(&files[0]);
    // An image of the index, and one that is not in it.
    let known = photos.join("chelsea-b.png");
    let new = photo("coffee.png");
    let arguments = [
        "similar",
        text(&known),
        text(&new),
        "--index",
        index,
        "--top",
        "2",
    ];
    let answers = json(&output(&[&arguments[..], &["--json"]].concat()));
    let names = |query: usize| {
        let similar = answers[query]["similar"].as_array().expect("a list");
        let name = |image: &Value| {
            let path = Path::new(image["path"].as_str().expect("a path")).to_owned();
            path.file_name()
                .expect("a name")
                .to_str()
                .expect("UTF-8")
                .to_owned()
        };
        similar.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(answers[0]["image"], text(&known));
    let mut chelsea = names(0);
    chelsea.sort();
    assert_eq!(chelsea, ["chelsea-a.png", "chelsea-c.png"]);
    // The file of the index has the pixels of the new image.
    assert_eq!(names(1)[0], "coffee-a.png");
    let similarity = answers[1]["similar"][0]["similarity"].as_f64();
    assert!(similarity > Some(0.9999), "{similarity:?}");
    let distances = json(&output(
        &[&arguments[..], &["--metric", "l2", "--json"]].concat(),
    ));
    let distance = |rank: usize| distances[0]["similar"][rank]["distance"].as_f64();
    assert!(distance(0) > Some(0.0) && distance(0) < distance(1));
    let lines = output(&arguments);
    assert_eq!(lines.lines().count(), 6, "{lines}");
}

#[test]
fn files_without_vectors_are_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("written");
        path
    };
    let ragged = "{\"path\":\"a\",\"vector\":[1,2]}\n{\"path\":\"b\",\"vector\":[1]}\n";
    for (path, part) in [
        (at("vectors.txt", b""), ".npy, .parquet, .jsonl or .csv"),
        (at("empty.jsonl", b""), "no vector"),
        (at("text.jsonl", b"text\n"), "line 1"),
        (
            at("ragged.jsonl", ragged.as_bytes()),
            "1 elements, expected 2",
        ),
        (at("labels.csv", b"path,label,error\n"), "columns"),
        (at("nan.csv", b"path,0,1,error\na,1,inf,\n"), "infinite"),
        (
            at("text.csv", b"path,0,1,error\na,1,x,\n"),
            "the vector of a",
        ),
        (at("array.npy", b"no array"), "array.npy"),
        (folder.path().join("missing.npy"), "cannot read"),
    ] {
        let line = error_line(&["duplicates", text(&path)]);
        assert!(line.contains(part), "{line}");
        let line = error_line(&["similar", "a.png", "--index", text(&path)]);
        assert!(line.contains(part), "{line}");
    }
    let path = at("short.jsonl", b"{\"path\":\"a\",\"vector\":[1,2]}\n");
    let coffee = photo("coffee.png");
    let line = error_line(&["similar", text(&coffee), "--index", text(&path)]);
    assert!(
        line.contains("2 elements") && line.contains("1280"),
        "{line}"
    );
    let line = error_line(&["duplicates", text(&path), "--threshold", "1.5"]);
    assert!(line.contains("from -1 to 1"), "{line}");
    let line = error_line(&["duplicates", text(&path), "--output", "groups.pdf"]);
    assert!(line.contains(".txt, .json, .csv or .html"), "{line}");
}

/// Writes squares of the sample photos to a folder for each photo, and embeds all of them.
fn squares(folder: &Path) -> (PathBuf, PathBuf) {
    let photos = folder.join("photos");
    for name in ["chelsea.png", "coffee.png", "rocket.jpg"] {
        let original = image::open(photo(name)).expect("a photo");
        let class = photos.join(name.split('.').next().expect("a name"));
        fs::create_dir_all(&class).expect("made");
        for number in 0..8 {
            let (left, top) = (20 * number, 8 * number);
            let square = RgbImage::from_fn(200, 200, |x, y| {
                let (x, y) = ((left + x) % original.width(), (top + y) % original.height());
                *original.get_pixel(x, y)
            });
            square
                .save(class.join(format!("{number}.png")))
                .expect("written");
        }
    }
    let vectors = folder.join("vectors.npy");
    receptive(&["embed", text(&photos), "--output", text(&vectors)])
        .assert()
        .success();
    (photos, vectors)
}

#[test]
fn a_head_is_trained_on_vectors_and_classifies_images() {
    let folder = tempfile::tempdir().expect("a folder");
    let (photos, vectors) = squares(folder.path());
    let head = folder.path().join("own.safetensors");
    let arguments = ["probe", text(&vectors), "--by-folder", "--folds", "4"];
    let report = json(&output(
        &[&arguments[..], &["--json", "--output", text(&head)]].concat(),
    ));
    assert_eq!(report["images"], 24);
    assert!(report["accuracy"].as_f64() > Some(0.95), "{report}");
    let labels = report["classes"].as_array().expect("a list").iter();
    let labels: Vec<&str> = labels
        .map(|class| class["label"].as_str().expect("text"))
        .collect();
    assert_eq!(labels, ["chelsea", "coffee", "rocket"]);

    let arguments = [
        "classify",
        text(&photos),
        "--weights",
        text(&head),
        "--json",
        "--top",
        "1",
    ];
    for answer in json(&output(&arguments)).as_array().expect("a list") {
        let path = answer["image"].as_str().expect("a path");
        let label = answer["predictions"][0]["label"].as_str().expect("text");
        assert!(path.contains(&format!("/{label}/")), "{path} is {label}");
    }

    // The same labels from a table, of which one image has none.
    let table = folder.path().join("labels.csv");
    let rows = (0..24).filter(|row| *row != 5).map(|row| {
        let class = ["chelsea", "coffee", "rocket"][row / 8];
        format!(
            "x,{},{class}",
            text(&photos.join(class).join(format!("{}.png", row % 8)))
        )
    });
    let rows: Vec<String> = rows.collect();
    fs::write(&table, format!("note,path,label\n{}\n", rows.join("\n"))).expect("written");
    let done = receptive(&["probe", text(&vectors), "--labels", text(&table)])
        .assert()
        .success();
    let note = String::from_utf8_lossy(&done.get_output().stderr).into_owned();
    assert!(note.contains("1 of 24 images have no label"), "{note}");
    let lines = String::from_utf8_lossy(&done.get_output().stdout).into_owned();
    assert!(lines.contains("all classes      23"), "{lines}");

    // What cannot be used.
    let normalized = folder.path().join("normalized.npy");
    receptive(&[
        "embed",
        text(&photos),
        "--normalize",
        "--output",
        text(&normalized),
    ])
    .assert()
    .success();
    let other = folder.path().join("other.safetensors");
    for (arguments, part) in [
        (vec!["probe", text(&vectors)], "--labels"),
        (
            vec!["probe", text(&vectors), "--labels", "no-such.csv"],
            "no-such.csv",
        ),
        (
            vec!["probe", text(&vectors), "--by-folder", "--folds", "1"],
            "from 2 to 100",
        ),
        (
            vec![
                "probe",
                text(&vectors),
                "--by-folder",
                "--output",
                "own.txt",
            ],
            ".safetensors",
        ),
        (
            vec![
                "probe",
                text(&normalized),
                "--by-folder",
                "--output",
                text(&other),
            ],
            "--normalize",
        ),
        (
            vec![
                "probe",
                text(&vectors),
                "--by-folder",
                "--output",
                text(&other),
                "--model",
                "lenet5",
            ],
            "84",
        ),
    ] {
        let line = error_line(&arguments);
        assert!(line.contains(part), "{line}");
        assert!(!other.exists());
    }
    fs::write(&table, "path,label\na.png,one\n").expect("written");
    let line = error_line(&["probe", text(&vectors), "--labels", text(&table)]);
    assert!(
        line.contains("0 different labels") && line.contains("24 of 24"),
        "{line}"
    );
}

/// A new head drops the auxiliary heads, which have the old classes.
#[test]
fn a_new_head_of_googlenet_has_no_old_auxiliary_heads() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    let network = GoogLeNetConfig::googlenet()
        .with_auxiliary(true)
        .init(&Device::flex());
    let (weights, head) = (file("googlenet.safetensors"), file("head.safetensors"));
    let tensors = weights::state_dict(&network);
    assert!(tensors.get("aux1.fc2.weight").is_some());
    let saved = tensors.save(&weights, Format::SafeTensors, FloatType::F32);
    saved.expect("written");
    let mut rows = String::from("path,");
    rows += &(0..1024)
        .map(|n| n.to_string())
        .collect::<Vec<_>>()
        .join(",");
    rows += ",error\n";
    for image in 0..8 {
        let values = (0..1024).map(|n| if n % 2 == image % 2 { "1" } else { "0" });
        let values: Vec<&str> = values.collect();
        rows += &format!("{}/{image}.png,{},\n", image % 2, values.join(","));
    }
    fs::write(file("vectors.csv"), rows).expect("written");
    let vectors = file("vectors.csv");
    let model = ["--model", "googlenet", "--weights", text(&weights)];
    let probe = ["probe", text(&vectors), "--by-folder", "--folds", "2"];
    let probe = [&probe[..], &model, &["--output", text(&head)]].concat();
    receptive(&probe).assert().success();
    let tensors = StateDict::open(&head).expect("weights");
    assert!(tensors.iter().all(|(name, _)| !name.starts_with("aux")));
    let converted = file("converted.pth");
    let convert = [
        "convert",
        text(&head),
        text(&converted),
        "--model",
        "googlenet",
    ];
    receptive(&convert).assert().success();
}
