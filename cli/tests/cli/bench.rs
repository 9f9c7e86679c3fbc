//! Tests of `bench`: its report and roofline chart, not the times.

use std::fs;

use tempfile::tempdir;

use super::{error_line, files, json, output, text};

#[test]
fn json_is_one_line_with_the_median() {
    let printed = output(&[
        "bench",
        "lenet5",
        "--seconds",
        "0.01",
        "--batch",
        "2",
        "--json",
    ]);
    assert_eq!(printed.lines().count(), 1);
    let report = json(&printed);
    assert_eq!(report["name"], "lenet5");
    assert_eq!(report["batch"], 2);
    assert_eq!(
        report["threads"], 1,
        "a small network runs on the calling thread"
    );
    assert_eq!(report["engine"], "compiled");
    assert!(report["median_ms"].as_f64().expect("a number") > 0.0);
    assert!(report["fastest_ms"].as_f64() <= report["median_ms"].as_f64());
}

#[test]
fn the_eager_engine_is_timed() {
    let printed = output(&[
        "bench",
        "lenet5",
        "--seconds",
        "0.01",
        "--device",
        "flex",
        "--json",
    ]);
    let report = json(&printed);
    assert_eq!(
        (&report["engine"], &report["device"]),
        (&"eager".into(), &"flex".into())
    );
}

#[test]
fn a_profile_lists_every_layer_and_draws_a_roofline() {
    let folder = tempdir().expect("a folder");
    let picture = folder.path().join("roofline.svg");
    let printed = output(&[
        "bench",
        "lenet5",
        "--seconds",
        "0.01",
        "--profile",
        "--roofline",
        text(&picture),
    ]);
    for layer in ["c1", "c3", "c5", "f6", "output", "GFLOP/s in cache"] {
        assert!(printed.contains(layer), "{layer} in {printed}");
    }
    let svg = fs::read_to_string(&picture).expect("drawn");
    assert!(svg.starts_with("<svg") && svg.contains("lenet5") && svg.contains("c3"));
    assert_eq!(files(folder.path()), ["roofline.svg"]);
}

#[test]
fn wrong_options_are_errors() {
    let cases: [(&[&str], &str); 8] = [
        (&["bench", "lenet6"], "lenet6"),
        (&["bench", "lenet5", "--batch", "999999999"], "999999999"),
        (
            &["bench", "lenet5", "--train", "--batch", "999999999"],
            "999999999",
        ),
        (
            &["bench", "lenet5", "--profile", "--engine", "eager"],
            "--profile",
        ),
        (
            &[
                "bench", "lenet5", "--engine", "compiled", "--device", "flex",
            ],
            "--device flex",
        ),
        (
            &[
                "bench",
                "lenet5",
                "--profile",
                "--roofline",
                "missing/x.svg",
                "--seconds",
                "0.01",
            ],
            "missing",
        ),
        (&["bench", "lenet5", "--seconds", "-1"], "-1"),
        (&["bench", "lenet5", "--threads", "0"], "0"),
    ];
    for (arguments, part) in cases {
        let line = if part == "-1" || part == "0" {
            let done = super::receptive(arguments).assert().code(2).stdout("");
            String::from_utf8(done.get_output().stderr.clone()).expect("text")
        } else {
            error_line(arguments)
        };
        assert!(line.contains(part), "{arguments:?}: {line}");
    }
}

#[cfg(feature = "train")]
#[test]
fn a_training_step_is_timed() {
    let printed = output(&[
        "bench",
        "lenet5",
        "--train",
        "--seconds",
        "0.01",
        "--batch",
        "3",
        "--json",
    ]);
    let report = json(&printed);
    assert_eq!(
        (&report["engine"], &report["device"], &report["batch"]),
        (&"training".into(), &"flex".into(), &3.into())
    );
    assert!(report["median_ms"].as_f64().expect("a number") > 0.0);
}
