//! Tests of `compile`, and of plans as `--weights` of other commands.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::tempdir;

use super::run::{images, logits};
use super::{error_line, files, lenet, photo, receptive, text};

/// Compiles LeNet-5 with these weights to a plan in `folder`, for batches of two images.
fn compile(folder: &Path, weights: &Path) -> PathBuf {
    let plan = folder.join("lenet5.plan");
    receptive(&["compile", "lenet5", "--weights", text(weights)])
        .args(["-o", text(&plan), "--batch", "2"])
        .assert()
        .success();
    plan
}

#[test]
fn a_plan_computes_the_logits_of_its_weights() {
    let folder = tempdir().expect("a folder");
    let (_, weights) = lenet(folder.path(), 10);
    let input = images(folder.path(), 3);
    let plan = compile(folder.path(), &weights);

    let [from_plan, from_weights, eager] = [
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
    assert_eq!(from_plan, from_weights, "saved and not saved");
    let largest = eager.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    for (a, b) in from_weights.iter().zip(&eager) {
        assert!((a - b).abs() <= 1e-5 * largest, "{a} compiled, {b} eager");
    }
}

#[test]
fn a_plan_of_another_network_or_engine_or_a_damaged_plan_is_an_error() {
    let folder = tempdir().expect("a folder");
    let (_, weights) = lenet(folder.path(), 10);
    let input = images(folder.path(), 1);
    let plan = compile(folder.path(), &weights);
    let output = folder.path().join("logits.npy");
    let run = |model: &str, more: &[&str]| {
        let mut arguments = vec!["run", model, "--weights", text(&plan)];
        arguments.extend(["--input", text(&input), "--output", text(&output)]);
        arguments.extend(more);
        error_line(&arguments)
    };
    let eager = run("lenet5", &["--engine", "eager"]);
    assert!(
        eager.contains("lenet5.plan is a compiled plan, which the eager engine cannot run"),
        "{eager}"
    );

    let espresso = photo("coffee.png");
    let mut other = vec!["classify", text(&espresso), "--model", "resnet18"];
    other.extend(["--weights", text(&plan)]);
    let other = error_line(&other);
    assert!(
        other.contains("lenet5.plan contains weights of lenet5, expected resnet18"),
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
    let truncated = run("lenet5", &[]);
    assert!(truncated.contains("lenet5.plan"), "{truncated}");
    assert!(!output.exists());
}

#[test]
fn a_failed_compilation_leaves_no_files() {
    let folder = tempdir().expect("a folder");
    let (_, weights) = lenet(folder.path(), 10);
    let before = files(folder.path());
    let plan = folder.path().join("x.plan");
    let line = error_line(&[
        "compile",
        "vgg11",
        "--weights",
        text(&weights),
        "-o",
        text(&plan),
    ]);
    assert!(line.contains("vgg11"), "{line}");
    let nowhere = folder.path().join("missing/x.plan");
    let line = error_line(&[
        "compile",
        "lenet5",
        "--weights",
        text(&weights),
        "-o",
        text(&nowhere),
    ]);
    assert!(line.contains("missing"), "{line}");
    assert_eq!(files(folder.path()), before);
}
