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
        (&[], "Usage"),
    ] {
        receptive(arguments)
            .assert()
            .code(2)
            .stdout("")
            .stderr(predicate::str::contains(part));
    }
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
