//! Tests of `classify`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use predicates::prelude::*;

use crate::{error_line, files, json, lenet, output, photo, receptive, text};

/// Returns the three most probable classes of each photo in torchvision, with their probabilities.
fn expected() -> BTreeMap<String, Vec<(String, f64)>> {
    serde_json::from_str(include_str!("../predictions/predictions.json")).expect("predictions")
}

#[test]
fn lenet5_classifies_the_sample_digits() {
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

fn assert_expected_predictions(device: &str) {
    let expected = expected();
    let photos: Vec<_> = expected.keys().map(|name| photo(name)).collect();
    let mut arguments = vec!["classify", "--json", "--top", "3", "--device", device];
    arguments.extend(photos.iter().map(|path| text(path)));
    let answers = json(&output(&arguments));
    let answers = answers.as_array().expect("a list");
    assert_eq!(answers.len(), 3);
    for ((answer, path), (name, predictions)) in answers.iter().zip(&photos).zip(&expected) {
        assert_eq!(answer["image"], text(path));
        assert_eq!(answer["model"], "mobilenet-v2");
        let found = answer["predictions"].as_array().expect("a list");
        assert_eq!(found.len(), 3);
        for (found, (label, probability)) in found.iter().zip(predictions) {
            assert_eq!(found["label"], label.as_str(), "{name}");
            assert!(found["index"].is_u64());
            let off = found["probability"].as_f64().expect("a number") - probability;
            assert!(off.abs() < 0.002, "{name}, {label}: off by {off}");
        }
    }
}

#[test]
fn predictions_are_those_of_torchvision() {
    assert_expected_predictions("flex");
}

#[cfg(feature = "ndarray")]
#[test]
fn predictions_of_ndarray_are_those_of_torchvision() {
    assert_expected_predictions("ndarray");
}

#[test]
fn text_without_a_terminal_has_no_bars() {
    let coffee = photo("coffee.png");
    let lines = output(&["classify", text(&coffee), "--top", "2"]);
    assert_eq!(
        lines,
        format!("{}\n  espresso 99 %\n  consomme 0.4 %\n", text(&coffee))
    );
}

#[test]
fn a_corrupt_image_does_not_stop_the_others_in_its_folder() {
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
fn a_missing_image_does_not_stop_the_others() {
    let coffee = photo("coffee.png");
    receptive(&["classify", "no-such.png", text(&coffee), "--top", "1"])
        .assert()
        .code(1)
        .stdout(predicate::str::contains("espresso"))
        .stderr(predicate::str::contains("no-such.png"));
}

#[test]
fn the_exit_code_is_2_if_every_image_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let corrupt = folder.path().join("b.png");
    fs::write(&corrupt, b"\x89PNG\r\n\x1a\nnot really").expect("written");
    receptive(&["classify", "no-such.png", text(&corrupt)])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("no-such.png").and(predicate::str::contains("b.png")));
}

#[test]
fn a_folder_without_images_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("notes.txt"), "no image").expect("written");
    let line = error_line(&["classify", text(folder.path())]);
    assert!(line.contains("no image") && line.contains(".png"), "{line}");
}

#[test]
fn the_weights_set_the_number_of_classes_and_labels_must_match() {
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
    // Ten classes are not MNIST's because they are ten.
    let unknown = run(&arguments(text(&ten), &["--top", "99"]));
    let numbered: Vec<String> = (0..10).map(|class| format!("class {class}")).collect();
    assert_eq!(labels_of(&unknown), numbered);

    let mismatched = arguments(text(&ten), &["--labels", text(&labels)]);
    let mismatched: Vec<&str> = mismatched.iter().map(String::as_str).collect();
    let line = error_line(&mismatched);
    assert!(line.contains("3 labels, expected 10"), "{line}");
}

#[test]
fn missing_pretrained_weights_are_an_error() {
    let coffee = photo("coffee.png");
    let line = error_line(&["classify", text(&coffee), "--model", "lenet5-1998"]);
    assert!(line.contains("--weights"), "{line}");
    let folder = tempfile::tempdir().expect("a folder");
    let done = receptive(&["classify", text(&coffee), "--model", "resnet18"])
        .env("RECEPTIVE_CACHE", folder.path())
        .assert()
        .code(2)
        .stdout("");
    let line = String::from_utf8_lossy(&done.get_output().stderr).into_owned();
    assert!(
        line.contains("resnet18") && line.starts_with("error: "),
        "{line}"
    );
    assert!(
        files(folder.path()).is_empty(),
        "{:?}",
        files(folder.path())
    );
}

#[test]
fn weights_of_another_network_are_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, lenet) = lenet(folder.path(), 10);
    let coffee = photo("coffee.png");
    let line = error_line(&["classify", text(&coffee), "--weights", text(&lenet)]);
    assert!(
        line.contains("does not hold weights of mobilenet-v2"),
        "{line}"
    );
}

#[test]
fn metadata_that_do_not_fit_the_network_are_named() {
    use receptive_layers::metadata::Metadata;
    use receptive_layers::preprocessing::Preprocessing;
    use receptive_layers::weights::{FloatType, Format, StateDict};

    let folder = tempfile::tempdir().expect("a folder");
    let (_, weights) = lenet(folder.path(), 10);
    let path = folder.path().join("stored.safetensors");
    let coffee = photo("coffee.png");
    for (metadata, part) in [
        (
            Metadata {
                labels: Some(vec!["zero".to_owned()]),
                ..Metadata::default()
            },
            "stored.safetensors: 1, expected 10, one for each class",
        ),
        (
            Metadata {
                preprocessing: Some(Preprocessing::IMAGENET),
                ..Metadata::default()
            },
            "the preprocessing in the metadata of",
        ),
        (
            Metadata {
                network: Some("lenet5-1998".to_owned()),
                ..Metadata::default()
            },
            "stored.safetensors contains weights of lenet5-1998, expected lenet5",
        ),
    ] {
        let stored = StateDict::open(&weights)
            .expect("weights")
            .with_metadata(metadata);
        let saved = stored.save(&path, Format::SafeTensors, FloatType::F32);
        saved.expect("written");
        let arguments = ["classify", text(&coffee), "--model", "lenet5", "--weights"];
        let line = error_line(&[&arguments[..], &[text(&path)]].concat());
        assert!(line.contains(part), "{line}");
    }
}

#[test]
fn digits_on_white_paper_are_inverted() {
    let folder = tempfile::tempdir().expect("a folder");
    let digits = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/digits");
    for digit in 0..10 {
        let mut photo =
            receptive_layers::image::open(digits.join(format!("{digit}.png"))).expect("a digit");
        receptive_layers::image::invert(&mut photo);
        photo
            .save(folder.path().join(format!("{digit}.png")))
            .expect("written");
    }
    let right = |options: &[&str]| {
        let arguments = [
            "classify",
            "--model",
            "lenet5",
            "--json",
            text(folder.path()),
        ];
        let answers = json(&output(&[&arguments[..], options].concat()));
        let answers = answers.as_array().expect("a list").clone();
        let best = |(digit, answer): (usize, &serde_json::Value)| {
            answer["predictions"][0]["label"].as_str() == Some(&digit.to_string())
        };
        let inverted = answers[0]["inverted"].as_bool().expect("a flag");
        (
            answers
                .iter()
                .enumerate()
                .map(best)
                .filter(|&right| right)
                .count(),
            inverted,
        )
    };
    assert_eq!(right(&[]), (10, true));
    assert_eq!(right(&["--invert"]), (10, true));
    let (count, inverted) = right(&["--no-invert"]);
    assert!(count < 5 && !inverted, "{count}");
    let printed = output(&["classify", "--model", "lenet5", text(folder.path())]);
    assert!(printed.contains("0.png (inverted)"), "{printed}");
}

#[test]
fn a_folder_is_walked_and_other_entries_are_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("deep/er")).expect("made");
    for name in ["deep/er/1.png", "2.png"] {
        fs::copy(photo("coffee.png"), folder.path().join(name)).expect("copied");
    }
    fs::write(folder.path().join("._2.png"), "").expect("written");
    fs::write(folder.path().join("notes.txt"), "").expect("written");
    let done = receptive(&["classify", "--json", "--top", "1", text(folder.path())])
        .assert()
        .success();
    let output = done.get_output();
    let answers = json(&String::from_utf8_lossy(&output.stdout));
    assert_eq!(answers.as_array().expect("a list").len(), 2);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("1 not an image, 1 hidden"), "{told}");
}
