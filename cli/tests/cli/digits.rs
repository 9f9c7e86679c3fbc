//! The two LeNets by their own recipes, on the digits that are part of the program.

use crate::{alone, output, text};

/// The part of the 1,500 validation digits that a network reads rightly after its recipe.
fn accuracy(model: &str) -> f64 {
    let _turn = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let told = output(&["train", model, "--output", text(&run)]);
    println!("{told}");
    let metrics = std::fs::read_to_string(run.join("metrics.jsonl")).expect("lines");
    let last = metrics.lines().last().expect("a line");
    let last: serde_json::Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(last["validation"]["count"], 1500);
    last["validation"]["top1"].as_f64().expect("a number")
}

#[test]
fn lenet5_reads_98_3_per_cent() {
    let accuracy = accuracy("lenet5");
    assert!(accuracy >= 0.983, "{accuracy}");
}

#[test]
fn lenet5_of_1998_reads_97_5_per_cent() {
    let accuracy = accuracy("lenet5-1998");
    assert!(accuracy >= 0.975, "{accuracy}");
}
