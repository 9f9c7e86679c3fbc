//! Accuracy of the two LeNet-5 variants, trained by their default recipes on the embedded digits.

use crate::{output, text, training_lock};

/// Trains a network by its default recipe. Returns the top-1 accuracy on the 1,500 validation
/// digits, from 0 to 1.
fn accuracy(model: &str) -> f64 {
    let _lock = training_lock();
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let printed = output(&["train", model, "--output", text(&run)]);
    println!("{printed}");
    let metrics = std::fs::read_to_string(run.join("metrics.jsonl")).expect("lines");
    let last = metrics.lines().last().expect("a line");
    let last: serde_json::Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(last["validation"]["count"], 1500);
    last["validation"]["top1"].as_f64().expect("a number")
}

#[test]
fn lenet5_reaches_98_3_percent() {
    let accuracy = accuracy("lenet5");
    assert!(accuracy >= 0.983, "{accuracy}");
}

#[test]
fn lenet5_of_1998_reaches_97_5_percent() {
    let accuracy = accuracy("lenet5-1998");
    assert!(accuracy >= 0.975, "{accuracy}");
}
