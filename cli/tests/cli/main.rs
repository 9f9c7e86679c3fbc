//! Tests of the program: every command, run as a child process.

mod bad_input;
mod bench;
mod classify;
mod compile;
mod convert;
#[cfg(feature = "train")]
mod digits;
mod draw;
mod explain;
mod export;
mod files;
#[cfg(feature = "train")]
mod finetune;
mod onnx;
mod resume;
mod rows;
mod run;
mod tables;
#[cfg(feature = "train")]
mod train;
mod vectors;

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use burn::tensor::Device;
use receptive_layers::network::NetworkConfig;
use receptive_layers::weights::{self, FloatType, Format, StateDict};
use receptive_lenet::{LeNet5, LeNet5Config};

/// Returns the program with these arguments, an empty cache folder, and a proxy that blocks
/// downloads.
fn receptive(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_receptive"));
    command
        .args(arguments)
        .env("RECEPTIVE_CACHE", "no-such-folder")
        .env("ALL_PROXY", "http://127.0.0.1:9")
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env_remove("RUST_BACKTRACE");
    command
}

/// Sends a signal to a process.
#[cfg(unix)]
fn signal(child: &std::process::Child, name: &str) {
    let id = child.id().to_string();
    let sent = std::process::Command::new("kill")
        .args([&format!("-{name}"), &id])
        .status();
    assert!(sent.expect("sent").success());
}

/// Whether the tests ignore this signal, as under `nohup` or in the background of a shell script. Child
/// processes then ignore it too.
#[cfg(unix)]
fn is_ignored(name: &str) -> bool {
    let number = match name {
        "HUP" => 1,
        "INT" => 2,
        _ => 15,
    };
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (number - 1)) != 0)
}

/// Locks out other long training tests: two at once take more than twice as long as one after the
/// other.
#[cfg(feature = "train")]
fn training_lock() -> std::sync::MutexGuard<'static, ()> {
    static TRAINING: std::sync::Mutex<()> = std::sync::Mutex::new(());
    TRAINING
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Runs the program, expects success and returns standard output.
fn output(arguments: &[&str]) -> String {
    let done = receptive(arguments).assert().success();
    String::from_utf8(done.get_output().stdout.clone()).expect("text")
}

/// Runs the program, expects exit code 2, an empty standard output and a one-line error; returns
/// the line.
fn error_line(arguments: &[&str]) -> String {
    let done = receptive(arguments).assert().code(2).stdout("");
    let text = String::from_utf8(done.get_output().stderr.clone()).expect("text");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("error: "), "{text}");
    assert!(!text.contains("internal error"), "{text}");
    text
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("JSON")
}

/// Path of a photo in `assets/photos/`.
fn photo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../assets/photos")
        .join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// Returns LeNet-5 with random weights, and the file in `folder` that holds them.
fn lenet(folder: &Path, classes: usize) -> (LeNet5, PathBuf) {
    let network = config(classes).init(&Device::flex());
    let path = folder.join(format!("lenet5-{classes}.safetensors"));
    weights::state_dict(&network)
        .save(&path, Format::SafeTensors, FloatType::F32)
        .expect("written");
    (network, path)
}

fn config(classes: usize) -> LeNet5Config {
    LeNet5Config::variants()
        .swap_remove(0)
        .config
        .with_classes(classes)
}

/// Name, shape and the bits of the elements of every tensor in a weight file.
fn tensors(path: &Path) -> Vec<(String, Vec<usize>, Vec<u32>)> {
    StateDict::open(path)
        .expect("weights")
        .iter()
        .map(|(name, tensor)| {
            let values = tensor.data().expect("values").try_to_vec::<f32>();
            (
                name.to_owned(),
                tensor.shape().to_vec(),
                values
                    .expect("floats")
                    .iter()
                    .map(|v| v.to_bits())
                    .collect(),
            )
        })
        .collect()
}

/// Sorted names of the files in a folder, including hidden files.
fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect();
    names.sort();
    names
}

/// Input shape of LeNet-5 for one image.
fn input() -> [usize; 4] {
    config(10).input().shape()
}
