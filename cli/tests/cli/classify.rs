use std::fs;

use predicates::prelude::*;

use crate::{files, json, lenet, output, photo, receptive, refusal, text};

/// torchvision's probabilities of the three photos.
const EXPECTED: [(&str, [(&str, f64); 3]); 3] = [
    (
        "coffee.png",
        [("espresso", 0.992), ("consomme", 0.004), ("cup", 0.001)],
    ),
    (
        "chelsea.png",
        [
            ("Egyptian cat", 0.717),
            ("tiger cat", 0.147),
            ("tabby", 0.130),
        ],
    ),
    (
        "rocket.jpg",
        [
            ("drilling platform", 0.354),
            ("space shuttle", 0.180),
            ("obelisk", 0.146),
        ],
    ),
];

#[test]
fn lenet_reads_the_sample_digits() {
    let folder = photo("../digits");
    let answers = json(&output(&[
        "classify",
        text(&folder),
        "--model",
        "lenet5",
        "--top",
        "1",
        "--json",
    ]));
    let answers = answers.as_array().expect("a list");
    assert_eq!(answers.len(), 10);
    for answer in answers {
        let file = answer["image"].as_str().expect("a path");
        let best = &answer["predictions"][0];
        let label = best["label"].as_str().expect("a label");
        assert!(file.ends_with(&format!("{label}.png")), "{file} is {label}");
        assert!(best["probability"].as_f64() > Some(0.5), "{file}: {best}");
    }
}

fn assert_as_expected(device: &str) {
    let photos: Vec<_> = EXPECTED.iter().map(|(name, _)| photo(name)).collect();
    let mut arguments = vec!["classify", "--json", "--top", "3", "--device", device];
    arguments.extend(photos.iter().map(|path| text(path)));
    let answers = json(&output(&arguments));
    assert_eq!(answers.as_array().map(Vec::len), Some(3));
    for ((answer, path), (name, predictions)) in answers
        .as_array()
        .into_iter()
        .flatten()
        .zip(&photos)
        .zip(EXPECTED)
    {
        assert_eq!(answer["image"], text(path));
        assert_eq!(answer["model"], "mobilenet-v2");
        let found = answer["predictions"].as_array().expect("a list");
        assert_eq!(found.len(), 3);
        for (found, (label, probability)) in found.iter().zip(predictions) {
            assert_eq!(found["label"], label, "{name}");
            assert!(found["index"].is_u64());
            let off = found["probability"].as_f64().expect("a number") - probability;
            assert!(off.abs() < 0.01, "{name}, {label}: off by {off}");
        }
    }
}

#[test]
fn photos_show_what_torchvision_sees() {
    assert_as_expected("flex");
}

#[cfg(feature = "ndarray")]
#[test]
fn ndarray_agrees() {
    assert_as_expected("ndarray");
}

#[test]
fn text_is_plain_where_no_terminal_reads_it() {
    let coffee = photo("coffee.png");
    let lines = output(&["classify", text(&coffee), "--top", "2"]);
    assert_eq!(
        lines,
        format!("{}\n  espresso 99 %\n  consomme 0.4 %\n", text(&coffee))
    );
}

#[test]
fn a_corrupt_image_does_not_stop_the_rest_of_its_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = |name: &str| folder.path().join(name);
    fs::copy(photo("coffee.png"), name("c.PNG")).expect("copied");
    fs::copy(photo("rocket.jpg"), name("a.jpg")).expect("copied");
    fs::write(name("b.png"), b"\x89PNG\r\n\x1a\nnot really").expect("written");
    fs::write(name("notes.txt"), "no image").expect("written");
    fs::create_dir(name("more.png")).expect("made");

    let done = receptive(&["classify", "--json", text(folder.path())])
        .assert()
        .code(1)
        .stderr(predicate::str::starts_with("error: ").and(predicate::str::contains("b.png")));
    let answers = json(&String::from_utf8_lossy(&done.get_output().stdout));
    let images: Vec<_> = answers
        .as_array()
        .expect("a list")
        .iter()
        .map(|a| &a["image"])
        .collect();
    assert_eq!(images, [text(&name("a.jpg")), text(&name("c.PNG"))]);

    receptive(&["classify", text(folder.path()), "--top", "1"])
        .assert()
        .code(1)
        .stdout(predicate::str::contains("espresso 99 %"));
}

#[test]
fn a_missing_image_is_told_and_the_rest_classified() {
    let coffee = photo("coffee.png");
    receptive(&["classify", "no-such.png", text(&coffee), "--top", "1"])
        .assert()
        .code(1)
        .stdout(predicate::str::contains("espresso"))
        .stderr(predicate::str::contains("no-such.png"));
}

#[test]
fn no_image_at_all_is_bad_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let corrupt = folder.path().join("b.png");
    fs::write(&corrupt, b"\x89PNG\r\n\x1a\nnot really").expect("written");
    receptive(&["classify", "no-such.png", text(&corrupt)])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("no-such.png").and(predicate::str::contains("b.png")));
}

#[test]
fn a_folder_without_images_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("notes.txt"), "no image").expect("written");
    let told = refusal(&["classify", text(folder.path())]);
    assert!(told.contains("no image") && told.contains(".png"), "{told}");
}

#[test]
fn a_weight_file_tells_the_number_of_classes_and_labels_must_agree() {
    let folder = tempfile::tempdir().expect("a folder");
    let labels = folder.path().join("labels.txt");
    fs::write(&labels, "left\nmiddle\nright\n").expect("written");
    let coffee = photo("coffee.png");
    let (_, three) = lenet(folder.path(), 3);
    let (_, ten) = lenet(folder.path(), 10);
    let arguments = |weights, more: &[&str]| {
        let given = [
            "classify",
            text(&coffee),
            "--json",
            "--model",
            "lenet5",
            "--weights",
            weights,
        ];
        let all: Vec<String> = given.iter().chain(more).map(|&s| s.to_owned()).collect();
        all
    };
    let run = |arguments: &[String]| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        json(&output(&arguments))
    };
    let labels_of = |answers: &serde_json::Value| {
        let mut labels: Vec<String> = answers[0]["predictions"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|p| p["label"].as_str().expect("a label").to_owned())
            .collect();
        labels.sort();
        labels
    };

    let named = run(&arguments(text(&three), &["--labels", text(&labels)]));
    assert_eq!(labels_of(&named), ["left", "middle", "right"]);
    let numbered = run(&arguments(text(&three), &[]));
    assert_eq!(labels_of(&numbered), ["class 0", "class 1", "class 2"]);
    let digits = run(&arguments(text(&ten), &["--top", "99"]));
    assert_eq!(
        labels_of(&digits),
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
    );

    let refused = arguments(text(&ten), &["--labels", text(&labels)]);
    let refused: Vec<&str> = refused.iter().map(String::as_str).collect();
    let told = refusal(&refused);
    assert!(told.contains("3 labels, expected 10"), "{told}");
}

#[test]
fn weights_that_cannot_be_had_are_explained() {
    let coffee = photo("coffee.png");
    let told = refusal(&["classify", text(&coffee), "--model", "lenet5-1998"]);
    assert!(told.contains("--weights"), "{told}");
    let folder = tempfile::tempdir().expect("a folder");
    let done = receptive(&["classify", text(&coffee), "--model", "resnet18"])
        .env("RECEPTIVE_CACHE", folder.path())
        .assert()
        .code(2)
        .stdout("");
    let told = String::from_utf8_lossy(&done.get_output().stderr).into_owned();
    assert!(
        told.contains("resnet18") && told.starts_with("error: "),
        "{told}"
    );
    assert!(
        files(folder.path()).is_empty(),
        "{:?}",
        files(folder.path())
    );
}

#[test]
fn another_networks_weights_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, lenet) = lenet(folder.path(), 10);
    let coffee = photo("coffee.png");
    let told = refusal(&["classify", text(&coffee), "--weights", text(&lenet)]);
    assert!(told.contains("as weights of mobilenet-v2"), "{told}");
}
