//! Tests of `run`.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use npyz::WriterBuilder;
use receptive_layers::network::Network;

use crate::{error_line, files, lenet, receptive, text};

/// Returns a deterministic pattern of values from -1 to 1.02.
fn pattern(shape: &[u64]) -> Vec<f32> {
    let count = shape.iter().product::<u64>();
    (0..count)
        .map(|n| ((n * 37 % 101) as f32) / 50.0 - 1.0)
        .collect()
}

fn write_npy(path: &Path, shape: &[u64]) {
    let file = fs::File::create(path).expect("created");
    let mut array = npyz::WriteOptions::new()
        .default_dtype()
        .shape(shape)
        .writer(file)
        .begin_nd()
        .expect("begun");
    array.extend(pattern(shape)).expect("written");
    array.finish().expect("finished");
}

/// Writes an array of `count` images for LeNet-5 to a file in `folder`.
pub fn images(folder: &Path, count: u64) -> PathBuf {
    let [_, channels, height, width] = crate::input();
    let path = folder.join("images.npy");
    write_npy(
        &path,
        &[count, channels as u64, height as u64, width as u64],
    );
    path
}

/// Reads the elements of an array file.
pub fn logits(path: &Path) -> Vec<f32> {
    let bytes = fs::read(path).expect("written");
    let array = npyz::NpyFile::new(&bytes[..]).expect("an array");
    array.into_vec::<f32>().expect("float32")
}

#[test]
fn logits_are_those_of_the_burn_module() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = |name: &str| folder.path().join(name);
    let (network, weights) = lenet(folder.path(), 7);
    let [_, channels, height, width] = crate::input();
    // More images than fit in a batch, and a last batch that is not full.
    let shape = [11, channels as u64, height as u64, width as u64];
    write_npy(&name("in.npy"), &shape);
    let images = TensorData::new(pattern(&shape), shape.map(|n| n as usize));
    let expected = network
        .forward(Tensor::from_data(images, &Device::flex()))
        .into_data()
        .try_to_vec::<f32>()
        .expect("floats");

    for engine in [
        ["--device", "flex"],
        #[cfg(feature = "ndarray")]
        ["--device", "ndarray"],
        ["--engine", "compiled"],
    ] {
        receptive(&["run", "lenet5", "--weights", text(&weights)])
            .args(["--input", text(&name("in.npy"))])
            .args(["--output", text(&name("out.npy"))])
            .args(engine)
            .assert()
            .success()
            .stdout("")
            .stderr("");
        let written = fs::read(name("out.npy")).expect("written");
        let array = npyz::NpyFile::new(&written[..]).expect("an array");
        assert_eq!(array.shape(), [11, 7]);
        let found = array.into_vec::<f32>().expect("float32");
        let largest = expected.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (found - expected).abs() <= 1e-5 * largest,
                "{found} {expected}"
            );
        }
    }
}

#[test]
fn inputs_are_checked_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = |name: &str| folder.path().join(name);
    let (_, weights) = lenet(folder.path(), 10);
    write_npy(&name("colour.npy"), &[1, 3, 28, 28]);
    write_npy(&name("flat.npy"), &[28, 28]);
    write_npy(&name("empty.npy"), &[0, 1, 28, 28]);
    fs::write(name("text.npy"), "1 2 3").expect("written");
    let before = files(folder.path());
    let out = name("out.npy");
    let weights = text(&weights);
    for (input, part) in [
        ("colour.npy", "expected [batch, 1"),
        ("flat.npy", "expected [batch, channels"),
        ("empty.npy", "expected [batch, 1"),
        ("text.npy", "text.npy"),
        ("missing.npy", "missing.npy"),
        ("", "cannot read"),
    ] {
        let input = name(input);
        let line = error_line(&[
            "run",
            "lenet5",
            "--weights",
            weights,
            "--input",
            text(&input),
            "--output",
            text(&out),
        ]);
        assert!(line.contains(part), "{line}");
    }
    assert_eq!(files(folder.path()), before);
}

#[test]
fn errors_name_an_output_that_cannot_be_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = |name: &str| folder.path().join(name);
    let (_, weights) = lenet(folder.path(), 10);
    let [_, channels, height, width] = crate::input();
    write_npy(
        &name("in.npy"),
        &[1, channels as u64, height as u64, width as u64],
    );
    fs::create_dir(name("folder.npy")).expect("made");
    let before = files(folder.path());
    for output in ["no-such/out.npy", "folder.npy"] {
        let output = name(output);
        let input = name("in.npy");
        let line = error_line(&[
            "run",
            "lenet5",
            "--weights",
            text(&weights),
            "--input",
            text(&input),
            "--output",
            text(&output),
        ]);
        assert!(line.contains(text(&output)), "{line}");
    }
    assert_eq!(files(folder.path()), before);
}
