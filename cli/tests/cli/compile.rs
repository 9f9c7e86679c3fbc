//! `compile`, and files it wrote in the place of weights.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::tempdir;

use super::run::{images, logits};
use super::{files, lenet, photo, receptive, refusal, text};

/// The file in `folder` that LeNet-5 with these weights is compiled to, for two images at once.
fn compiled(folder: &Path, weights: &Path) -> PathBuf {
    let plan = folder.join("lenet5.plan");
    receptive(&["compile", "lenet5", "--weights", text(weights)])
        .args(["-o", text(&plan), "--batch", "2"])
        .assert()
        .success();
    plan
}

#[test]
fn a_compiled_file_gives_the_logits_of_its_weights() {
    let folder = tempdir().expect("a folder");
    let (_, weights) = lenet(folder.path(), 10);
    let input = images(folder.path(), 3);
    let plan = compiled(folder.path(), &weights);

    let [from_plan, at_once, eager] = [
        (&plan, &[][..]),
        (&weights, &["--engine", "compiled"][..]),
        (&weights, &["--engine", "eager"][..]),
    ]
    .map(|(file, more)| {
        let output = folder.path().join("logits.npy");
        receptive(&["run", "lenet5", "--weights", text(file)])
            .args(["--input", text(&input), "--output", text(&output)])
            .args(more)
            .assert()
            .success();
        logits(&output)
    });
    assert_eq!(from_plan, at_once, "the same plan, saved");
    let largest = eager.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    for (a, b) in at_once.iter().zip(&eager) {
        assert!((a - b).abs() <= 1e-5 * largest, "{a} compiled, {b} eager");
    }
}

#[test]
fn a_compiled_file_is_refused_where_it_does_not_belong() {
    let folder = tempdir().expect("a folder");
    let (_, weights) = lenet(folder.path(), 10);
    let input = images(folder.path(), 1);
    let plan = compiled(folder.path(), &weights);
    let output = folder.path().join("logits.npy");
    let run = |model: &str, more: &[&str]| {
        let mut arguments = vec!["run", model, "--weights", text(&plan)];
        arguments.extend(["--input", text(&input), "--output", text(&output)]);
        arguments.extend(more);
        refusal(&arguments)
    };
    let eager = run("lenet5", &["--engine", "eager"]);
    assert!(eager.contains("lenet5.plan is compiled already"), "{eager}");

    let espresso = photo("coffee.png");
    let mut other = vec!["classify", text(&espresso), "--model", "resnet18"];
    other.extend(["--weights", text(&plan)]);
    let other = refusal(&other);
    assert!(
        other.contains("lenet5.plan is lenet5 compiled, expected resnet18"),
        "{other}"
    );

    let mut bytes = fs::read(&plan).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&plan, &bytes).expect("written");
    let damaged = run("lenet5", &[]);
    assert_eq!(damaged.matches("lenet5.plan").count(), 1, "{damaged}");
    bytes.truncate(middle);
    fs::write(&plan, &bytes).expect("written");
    let cut = run("lenet5", &[]);
    assert!(cut.contains("lenet5.plan"), "{cut}");
    assert!(!output.exists());
}

#[test]
fn nothing_is_left_of_a_compilation_that_fails() {
    let folder = tempdir().expect("a folder");
    let (_, weights) = lenet(folder.path(), 10);
    let before = files(folder.path());
    let plan = folder.path().join("x.plan");
    let told = refusal(&[
        "compile",
        "vgg11",
        "--weights",
        text(&weights),
        "-o",
        text(&plan),
    ]);
    assert!(told.contains("vgg11"), "{told}");
    let nowhere = folder.path().join("missing/x.plan");
    let told = refusal(&[
        "compile",
        "lenet5",
        "--weights",
        text(&weights),
        "-o",
        text(&nowhere),
    ]);
    assert!(told.contains("missing"), "{told}");
    assert_eq!(files(folder.path()), before);
}
