use std::io::Read;
use std::process::{Command, Stdio};

use predicates::prelude::*;

use crate::{receptive, refusal};

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
fn refused_requests_are_told_in_one_line() {
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
        let told = refusal(arguments);
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn absurd_sizes_get_an_answer() {
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
            .stderr(predicate::str::contains("should not").not());
    }
}

#[test]
fn a_device_that_is_not_compiled_in_names_the_feature() {
    if cfg!(feature = "cuda") {
        return;
    }
    let told = refusal(&["classify", "a.png", "--device", "cuda"]);
    assert!(told.contains("--features cuda"), "{told}");
    assert!(told.contains("flex"), "{told}");
}

#[cfg(all(feature = "wgpu", target_os = "linux"))]
#[test]
fn a_machine_without_an_adapter_is_told_so() {
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
fn a_reader_that_goes_away_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_receptive"))
        .args(["models", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    drop(child.stdout.take());
    let mut told = String::new();
    child
        .stderr
        .take()
        .expect("piped")
        .read_to_string(&mut told)
        .expect("text");
    assert!(child.wait().expect("ended").success());
    assert_eq!(told, "");
}
