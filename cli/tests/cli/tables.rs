//! Tests of `models`, `summary`, `completions` and the help texts.

use crate::{json, output};

/// `models.txt` has the lines of every network that was there when it was written; a new network
/// adds a line, and may widen columns.
#[test]
fn models_are_listed() {
    let without_padding = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let listed = output(&["models"]);
    let found: Vec<String> = listed.lines().map(without_padding).collect();
    for line in include_str!("models.txt").lines() {
        assert!(found.contains(&without_padding(line)), "{line}\n{listed}");
    }
    let heading = listed.lines().next().expect("a heading");
    for column in ["INPUT", "WEIGHTS", "PAPER"] {
        let start = heading.find(column).expect(column);
        for line in listed.lines() {
            let [before, first] = [start - 1, start].map(|at| line.as_bytes()[at]);
            assert!(before == b' ' && first != b' ', "{column} in {line:?}");
        }
    }
}

#[test]
fn models_in_json_have_every_key() {
    let models = json(&output(&["models", "--json"]));
    let vgg16 = models
        .as_array()
        .expect("a list")
        .iter()
        .find(|model| model["name"] == "vgg16")
        .expect("listed");
    insta::assert_snapshot!(serde_json::to_string_pretty(vgg16).expect("JSON"));
}

#[test]
fn a_summary_is_a_table() {
    insta::assert_snapshot!(output(&["summary", "lenet5"]));
}

#[test]
fn a_summary_takes_input_classes_and_depth() {
    insta::assert_snapshot!(output(&[
        "summary",
        "resnet18",
        "--input",
        "2x3x64x96",
        "--classes",
        "10",
        "--depth",
        "1"
    ]));
}

#[test]
fn a_summary_in_json_has_every_key() {
    let summary = json(&output(&["summary", "vgg16", "--json"]));
    assert_eq!(summary["model"], "vgg16");
    assert_eq!(summary["input"], serde_json::json!([1, 3, 224, 224]));
    assert_eq!(summary["parameters"], 138_357_544);
    let macs = summary["macs"].as_f64().expect("a number");
    assert!((macs / 15.470e9 - 1.0).abs() < 1e-3, "{macs}");
    let values = summary["activation_values"].as_f64().expect("a number");
    assert!((values / 15.2e6 - 1.0).abs() < 1e-2, "{values}");
    for layer in summary["layers"].as_array().expect("a list") {
        for key in ["name", "kind"] {
            assert!(layer[key].is_string(), "{layer}");
        }
        for key in ["parameters", "macs"] {
            assert!(layer[key].is_u64(), "{layer}");
        }
        assert!(layer["output"].is_array(), "{layer}");
    }
}

#[test]
fn auxiliary_heads_count_only_with_train() {
    let parameters = |more: &[&str]| {
        let arguments: Vec<&str> = ["summary", "googlenet", "--json"]
            .iter()
            .chain(more)
            .copied()
            .collect();
        json(&output(&arguments))["parameters"].as_u64()
    };
    assert_eq!(parameters(&[]), Some(6_624_904));
    assert_eq!(parameters(&["--train"]), Some(13_004_888));
}

#[test]
fn completions_are_scripts() {
    for (shell, part) in [
        ("bash", "_receptive()"),
        ("zsh", "#compdef receptive"),
        ("fish", "complete -c receptive"),
    ] {
        let script = output(&["completions", shell]);
        assert!(script.contains(part), "{shell}");
        assert!(script.contains("classify"), "{shell}");
    }
}

#[test]
fn help_shows_examples() {
    for command in [
        "models",
        "summary",
        "classify",
        "run",
        "convert",
        "completions",
    ] {
        let help = output(&[command, "--help"]);
        assert!(help.contains("Examples:\n  receptive "), "{help}");
    }
    assert!(output(&["--help"]).contains("Exit codes"));
    let version = format!("receptive {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(output(&["--version"]), version);
}
