//! Wrong usage and wrong input: exit code 2 and an error that says what was expected.

use std::io::Read;
use std::process::{Command, Stdio};

use predicates::prelude::*;

use crate::{error_line, receptive};

#[test]
fn usage_errors_say_what_was_expected() {
    for (arguments, part) in [
        (&["classify"][..], "IMAGE"),
        (&["classify", "a.png", "--top", "0"], "at least 1"),
        (&["classify", "a.png", "--top", "-3"], "--top"),
        (&["classify", "a.png", "--device", "abacus"], "flex"),
        (&["classify", "a.png", "--engine", "steam"], "eager"),
        (&["summary"], "MODEL"),
        (&["summary", "vgg16", "--classes", "0"], "at least 1"),
        (&["summary", "vgg16", "--depth", "none"], "at least 1"),
        (&["summary", "vgg16", "--input", "224"], "1x3x224x224"),
        (&["summary", "vgg16", "--input", "1x3x0x224"], "1x3x224x224"),
        (
            &["summary", "vgg16", "--input", "1x3x224x224x1"],
            "1x3x224x224",
        ),
        (&["summary", "vgg16", "--input", "1x3xaxb"], "1x3x224x224"),
        (
            &[
                "convert", "a.pth", "b.pth", "--model", "vgg16", "--dtype", "f8",
            ],
            "bf16",
        ),
        (&["completions", "rumour"], "bash"),
        (&["sing"], "sing"),
        (&["classify", "a.png", "--tpo", "3"], "--tpo"),
        (&["classify", "a.png", "--\u{1b}[2J"], "\\u{1b}"),
    ] {
        let line = error_line(arguments);
        assert!(line.contains(part) && !line.contains("Usage"), "{line}");
    }
    // Without arguments, the help is printed.
    receptive(&[])
        .assert()
        .code(2)
        .stdout("")
        .stderr(predicate::str::contains("Usage"));
}

#[cfg(unix)]
#[test]
fn control_characters_in_names_and_labels_are_escaped() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = folder.path().join("a\u{1b}[31mb.png");
    std::fs::copy(crate::photo("coffee.png"), &name).expect("copied");
    let labels = folder.path().join("labels.txt");
    let lines: String = (0..1000)
        .map(|class| format!("\u{1b}]0;{class}\u{7}\n"))
        .collect();
    std::fs::write(&labels, lines).expect("written");
    let printed = crate::output(&[
        "classify",
        crate::text(&name),
        "--labels",
        crate::text(&labels),
    ]);
    let is_control = |c: char| c.is_control() && c != '\n';
    assert!(!printed.contains(is_control), "{printed:?}");
    assert!(printed.contains("\\u{1b}]0;967\\u{7}"), "{printed}");
    std::fs::write(&name, "no image").expect("written");
    let line = error_line(&["classify", crate::text(&name)]);
    assert!(line.contains("a\\u{1b}[31mb.png"), "{line}");
}

#[cfg(unix)]
#[test]
fn devices_and_pipes_are_refused_or_read_up_to_a_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("run");
    assert!(made.success());
    let pipe = crate::text(&pipe);
    let photo = crate::photo("coffee.png");
    let photo = crate::text(&photo);
    for (arguments, part) in [
        (
            &["classify", photo, "--labels", "/dev/zero"][..],
            "the limit of 16 MiB",
        ),
        (
            &["classify", photo, "--weights", "/dev/zero"],
            "expected a file",
        ),
        (&["classify", photo, "--weights", pipe], "expected a file"),
        (&["classify", "/dev/zero"], "the limit of 512 MiB"),
        (
            &[
                "run",
                "lenet5",
                "--weights",
                photo,
                "--input",
                pipe,
                "--output",
                "/dev/null",
            ],
            "expected a file",
        ),
        #[cfg(feature = "train")]
        (
            &["train", "lenet5", "--recipe", "/dev/zero"],
            "the limit of 1 MiB",
        ),
    ] {
        let line = error_line(arguments);
        assert!(line.contains(part), "{line}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn without_memory_or_threads_the_error_is_one_line() {
    let photo = crate::photo("coffee.png");
    let program = env!("CARGO_BIN_EXE_receptive");
    let limited = |limit: &str, arguments: &str| {
        let script = format!("ulimit {limit}; exec {program} {arguments}");
        let done = Command::new("sh")
            .args(["-c", &script])
            .env_remove("RUST_BACKTRACE")
            .output();
        let done = done.expect("run");
        let error = String::from_utf8(done.stderr).expect("text");
        if !done.status.success() {
            assert_eq!(done.status.code(), Some(2), "{limit}: {error}");
            assert!(
                error.starts_with("error: ") && error.lines().count() == 1,
                "{limit}: {error}"
            );
            assert!(!error.contains("internal error"), "{limit}: {error}");
        }
        done.status.success()
    };
    let classify = format!(
        "classify {} --engine eager --model mobilenet-v2",
        photo.display()
    );
    let mut outcomes = [0; 2];
    for mebibytes in [200, 260, 320, 400, 500, 700, 4000] {
        let succeeded = limited(&format!("-v {}", mebibytes << 10), &classify);
        outcomes[usize::from(succeeded)] += 1;
    }
    assert!(outcomes[1] > 0, "{outcomes:?}");
}

#[test]
fn wrong_input_is_a_one_line_error() {
    for (arguments, part) in [
        (&["summary", "resnet5O"][..], "resnet50"),
        (&["summary", "perceiver"], "receptive models"),
        (&["summary", ""], "receptive models"),
        (
            &["summary", "lenet5", "--input", "1x3x28x28"],
            "expected [batch, 1",
        ),
        (&["summary", "vgg16", "--input", "1x3x7x7"], "at least"),
        (
            &["classify", "a.png", "--weights", "no-such.pth"],
            "no-such.pth",
        ),
        (&["classify", "a.png", "--weights", "."], "error: "),
        (
            &["classify", "a.png", "--labels", "no-such.txt"],
            "no-such.txt",
        ),
        (&["classify", "a.png", "--model", "perceiver"], "perceiver"),
    ] {
        let line = error_line(arguments);
        assert!(line.contains(part), "{line}");
    }
}

#[test]
fn huge_sizes_do_not_panic() {
    for arguments in [
        &["summary", "vgg16", "--classes", "18446744073709551615"][..],
        &[
            "summary",
            "resnet18",
            "--input",
            "1x3x4294967296x4294967296",
        ],
        &[
            "summary",
            "resnet18",
            "--input",
            "18446744073709551615x3x224x224",
        ],
        &["summary", "resnet18", "--depth", "18446744073709551615"],
    ] {
        receptive(arguments)
            .assert()
            .stderr(predicate::str::contains("internal error").not());
    }
}

#[test]
fn a_device_that_is_not_compiled_in_names_the_feature() {
    if cfg!(feature = "cuda") {
        return;
    }
    let line = error_line(&["classify", "a.png", "--device", "cuda"]);
    assert!(line.contains("--features cuda"), "{line}");
    assert!(line.contains("flex"), "{line}");
}

#[cfg(all(feature = "wgpu", target_os = "linux"))]
#[test]
fn a_machine_without_a_gpu_is_an_error() {
    receptive(&["classify", "a.png", "--device", "wgpu"])
        .env("VK_ICD_FILENAMES", "/no/such/driver.json")
        .env("VK_DRIVER_FILES", "/no/such/driver.json")
        .env("LIBGL_DRIVERS_PATH", "/no/such/folder")
        .env("__EGL_VENDOR_LIBRARY_FILENAMES", "/no/such/vendor.json")
        .assert()
        .code(2)
        .stdout("")
        .stderr(predicate::str::contains(
            "error: device wgpu cannot be used on this machine: ",
        ));
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_receptive"))
        .args(["models", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    drop(child.stdout.take());
    let mut errors = String::new();
    child
        .stderr
        .take()
        .expect("piped")
        .read_to_string(&mut errors)
        .expect("text");
    assert!(child.wait().expect("ended").success());
    assert_eq!(errors, "");
}
