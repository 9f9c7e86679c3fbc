//! Tests of `convert`.

use std::fs;
use std::path::Path;

use crate::{error_line, files, lenet, receptive, tensors, text};

fn convert(from: &Path, to: &Path, model: &str, more: &[&str]) {
    receptive(&["convert", text(from), text(to), "--model", model])
        .args(more)
        .assert()
        .success()
        .stdout("")
        .stderr("");
}

#[test]
fn every_format_preserves_every_bit() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = |name: &str| folder.path().join(name);
    let (_, first) = lenet(folder.path(), 10);
    let before = tensors(&first);
    let mut from = first;
    for to in ["a.pth", "b.bpk", "c.pt", "d.safetensors", "e.burnpack"] {
        let to = name(to);
        convert(&from, &to, "lenet5", &[]);
        assert_eq!(tensors(&to), before, "{}", to.display());
        from = to;
    }
}

#[test]
fn half_precision_is_rounded_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = |name: &str| folder.path().join(name);
    let (_, whole) = lenet(folder.path(), 10);
    for dtype in ["f16", "bf16"] {
        let once = name("once.safetensors");
        let back = name("back.pth");
        let twice = name("twice.safetensors");
        convert(&whole, &once, "lenet5", &["--dtype", dtype]);
        convert(&once, &back, "lenet5", &[]);
        convert(&back, &twice, "lenet5", &["--dtype", dtype]);
        assert_eq!(tensors(&once), tensors(&back));
        assert_ne!(tensors(&whole), tensors(&once));
        assert_eq!(
            fs::read(&once).expect("read"),
            fs::read(&twice).expect("read")
        );
        let size = |path: &Path| fs::metadata(path).expect("there").len();
        assert!(size(&once) < size(&whole) * 6 / 10);
    }
}

#[test]
fn embedded_weights_survive_a_round_trip_through_pytorch() {
    let folder = tempfile::tempdir().expect("a folder");
    let asset = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/mobilenet_v2-f16.safetensors");
    let torch = folder.path().join("v2.pth");
    let again = folder.path().join("v2.safetensors");
    convert(&asset, &torch, "mobilenet-v2", &["--dtype", "f16"]);
    convert(&torch, &again, "mobilenet-v2", &["--dtype", "f16"]);
    assert_eq!(tensors(&torch), tensors(&asset));
    assert_eq!(
        fs::read(again).expect("read"),
        fs::read(asset).expect("read")
    );
}

#[test]
fn a_failed_conversion_leaves_no_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = |name: &str| folder.path().join(name);
    let (_, good) = lenet(folder.path(), 10);
    let bytes = fs::read(&good).expect("read");
    fs::write(name("cut.safetensors"), &bytes[..bytes.len() / 2]).expect("written");
    fs::write(name("words.pth"), "no weights at all").expect("written");
    fs::write(name("empty.bpk"), "").expect("written");
    fs::create_dir(name("folder.pth")).expect("made");
    let before = files(folder.path());

    let good = text(&good).to_owned();
    let path = |file: &str| text(&name(file)).to_owned();
    for (from, to, model, part) in [
        (
            path("cut.safetensors"),
            path("out.pth"),
            "lenet5",
            "cut.safetensors",
        ),
        (path("words.pth"), path("out.pth"), "lenet5", "words.pth"),
        (path("empty.bpk"), path("out.pth"), "lenet5", "empty.bpk"),
        (
            path("missing.pth"),
            path("out.pth"),
            "lenet5",
            "missing.pth",
        ),
        (
            text(folder.path()).to_owned(),
            path("out.pth"),
            "lenet5",
            text(folder.path()),
        ),
        (good.clone(), path("out.onnx"), "lenet5", ".safetensors"),
        (good.clone(), path("out"), "lenet5", ".safetensors"),
        (
            good.clone(),
            path("out.pth"),
            "resnet18",
            "does not hold weights of resnet18",
        ),
        (good.clone(), path("out.pth"), "lenet7", "lenet5"),
        (good.clone(), path("no-such/out.pth"), "lenet5", "no-such"),
        (good.clone(), path("folder.pth"), "lenet5", "folder.pth"),
    ] {
        let line = error_line(&["convert", &from, &to, "--model", model]);
        assert!(line.contains(part), "{line}");
    }
    assert_eq!(files(folder.path()), before);
}

#[test]
fn a_file_can_be_converted_in_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, path) = lenet(folder.path(), 10);
    let before = tensors(&path);
    convert(&path, &path, "lenet5", &[]);
    assert_eq!(tensors(&path), before);
    assert_eq!(files(folder.path()).len(), 1);
}
