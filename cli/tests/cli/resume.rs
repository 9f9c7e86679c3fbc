//! Tests of interrupted runs of `classify` and `embed` that continue.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::time::Duration;

use crate::rows::{arguments, lines, list, run};
use crate::{error_line, files};

/// Formats of results that every build has.
const FORMATS: &[(&str, &str)] = &[
    ("classify", "jsonl"),
    ("classify", "csv"),
    ("embed", "jsonl"),
    ("embed", "npy"),
    #[cfg(feature = "parquet")]
    ("classify", "parquet"),
    #[cfg(feature = "parquet")]
    ("embed", "parquet"),
];

/// Kills runs at random moments, and compares the finished files with those of unbroken runs.
#[cfg(unix)]
#[test]
fn a_killed_run_continues_and_ends_with_the_same_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let list = list(folder.path(), 2000);
    let mut kills = 0;
    for (command, format) in FORMATS {
        let (expected, file) = (
            at(&format!("expected.{format}")),
            at(&format!("rows.{format}")),
        );
        run(&arguments(command, &list, &expected), 1);
        let mut resume = arguments(command, &list, &file);
        resume.push("--resume");
        // Delays that differ between runs and between formats.
        for attempt in 0..4_u64 {
            let mut child = Process::new(env!("CARGO_BIN_EXE_receptive"))
                .args(&resume)
                .stderr(Stdio::null())
                .spawn()
                .expect("started");
            let delay = 60 + 97 * attempt + 31 * kills % 170;
            std::thread::sleep(Duration::from_millis(delay));
            kills += u64::from(child.try_wait().expect("running").is_none());
            child.kill().expect("killed");
            child.wait().expect("ended");
        }
        if file.exists() {
            assert!(run(&resume, 0).contains("is complete"));
        } else {
            run(&resume, 1);
        }
        assert_eq!(
            fs::read(&file).expect("rows"),
            fs::read(&expected).expect("rows"),
            "{command} {format}"
        );
        if *format == "npy" {
            let paths = |name| fs::read(at(name)).expect("paths");
            assert_eq!(paths("rows.paths.csv"), paths("expected.paths.csv"));
        }
        let left = files(folder.path());
        // A later run removes the temporary file of a process that was killed at its end.
        let stays = |name: &String| name.contains(".part") && !name.starts_with('.');
        assert!(!left.iter().any(stays), "{left:?}");
        fs::remove_file(&file).expect("removed");
    }
    assert!(kills > 0, "every run ended before it was killed");
}

/// Cuts and damages the end of an unfinished file as a loss of power may.
#[test]
fn a_damaged_end_of_an_unfinished_file_is_written_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = list(folder.path(), 60);
    for (command, format) in FORMATS {
        let at = |name: &str| folder.path().join(format!("{name}.{format}"));
        let (expected, file) = (at("expected"), at("rows"));
        run(&arguments(command, &list, &expected), 1);
        let mut start = arguments(command, &list, &file);
        start.push("--resume");
        let expected_bytes = fs::read(&expected).expect("rows");
        if *format == "npy" {
            // Vectors of zeros, as after a loss of power.
            let part = folder.path().join("rows.npy.part");
            interrupted(&start, &part);
            let zeros = [&expected_bytes[..128 + 4 * 84], &[0; 8 * 84]].concat();
            fs::write(&part, zeros).expect("written");
            let paths = folder.path().join("expected.paths.csv");
            fs::copy(paths, folder.path().join("rows.paths.csv.part")).expect("copied");
            run(&start, 1);
            assert_eq!(fs::read(&file).expect("rows"), expected_bytes);
            fs::remove_file(&file).expect("removed");
        }
        for (kept, end) in [
            (0, &b""[..]),
            (1, b"{\"pa"),
            (3, b"\0\0\0\0"),
            (2, b"\"\n\n"),
        ] {
            let part = folder.path().join(format!("rows.{format}.part"));
            // The settings are those of a run that is stopped before its first row.
            interrupted(&start, &part);
            let rows = match *format {
                "parquet" => Vec::new(),
                "npy" => expected_bytes[..128 + kept * 4 * 84].to_vec(),
                _ => {
                    let lines = expected_bytes.split_inclusive(|&byte| byte == b'\n');
                    lines.take(kept).collect::<Vec<_>>().concat()
                }
            };
            fs::write(&part, [&rows, end].concat()).expect("written");
            run(&start, 1);
            assert_eq!(
                fs::read(&file).expect("rows"),
                expected_bytes,
                "{command} {format}: {kept} rows and {end:?}"
            );
            fs::remove_file(&file).expect("removed");
        }
    }
}

/// Leaves the settings of an interrupted run with an empty file of rows at `part`.
pub fn interrupted(arguments: &[&str], part: &Path) {
    let mut child = Process::new(env!("CARGO_BIN_EXE_receptive"))
        .args(arguments)
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    let settings = PathBuf::from(format!("{}.json", part.display()));
    while !settings.exists() {
        assert!(child.try_wait().expect("running").is_none(), "ended early");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
}

#[test]
fn a_run_is_continued_only_with_the_same_options_and_images() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let list = list(folder.path(), 1000);
    let file = at("rows.jsonl");
    let new = arguments("classify", &list, &file);
    let resume = [&new[..], &["--resume"]].concat();
    interrupted(&new, &at("rows.jsonl.part"));
    fs::write(at("rows.jsonl.part"), "{\"path\":\"other.png\"}\n").expect("written");

    let line = error_line(&new);
    assert!(
        line.contains("--resume") && line.contains("rows.jsonl.part"),
        "{line}"
    );
    let line = error_line(&[&resume[..], &["--top", "2"]].concat());
    assert!(line.contains("top 5, now it is 2"), "{line}");
    let line = error_line(&[&resume[..], &["--no-invert"]].concat());
    assert!(
        line.contains("inversion by border, now it is none"),
        "{line}"
    );

    let line = error_line(&[&resume[..], &["--format", "csv"]].concat());
    assert!(line.contains("format jsonl, now it is csv"), "{line}");
    let line = error_line(&resume);
    assert!(
        line.contains("row 1") && line.contains("other.png"),
        "{line}"
    );
    fs::write(at("rows.jsonl.part"), "").expect("written");
    run(&resume, 1);
    assert_eq!(lines(&file).len(), 1000);
    assert!(run(&resume, 0).contains("is complete"));
}
