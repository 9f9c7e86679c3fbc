//! Tests of `train`, `eval` and `inspect`: files, interruption, resuming, errors.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::{error_line, files, output, receptive, tensors, text};

/// Writes a dataset in MNIST's format to `folder`: noisy bars at ten heights, 240 training images
/// and 40 validation images.
fn write_bars(folder: &Path) -> PathBuf {
    let mut noise = 1_u32;
    let mut next = move || {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 24) as u8
    };
    for (name, count) in [("train", 240_u32), ("t10k", 40)] {
        let mut images = [0x803_u32, count, 28, 28].map(u32::to_be_bytes).concat();
        let mut labels = [0x801_u32, count].map(u32::to_be_bytes).concat();
        for image in 0..count as usize {
            let label = image % 10;
            labels.push(label as u8);
            for pixel in 0..28 * 28 {
                let bar = (2 * label..2 * label + 6).contains(&(pixel / 28));
                images.push(next() / 8 + if bar { 200 } else { 20 });
            }
        }
        fs::write(folder.join(format!("{name}-images-idx3-ubyte")), images).expect("written");
        fs::write(folder.join(format!("{name}-labels-idx1-ubyte")), labels).expect("written");
    }
    folder.to_owned()
}

/// Arguments that train LeNet-5 on `data` for six epochs of fifteen steps, with a checkpoint after
/// every step.
fn arguments<'a>(data: &'a Path, run: &'a Path) -> Vec<&'a str> {
    vec![
        "train",
        "lenet5",
        "--data",
        text(data),
        "--output",
        text(run),
        "--set",
        "epochs=6",
        "--set",
        "batch=16",
        "--set",
        "ema=0.9",
        "--threads",
        "2",
        "--save-minutes",
        "0",
    ]
}

/// Starts the program with these arguments.
fn start(arguments: &[&str]) -> std::process::Child {
    Command::new(env!("CARGO_BIN_EXE_receptive"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("started")
}

fn model(run: &Path) -> PathBuf {
    run.join("model.safetensors")
}

/// Lines of `metrics.jsonl`, without the times of the epochs.
fn metrics(run: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).expect("lines");
    let lines = text.lines().map(|line| {
        let mut line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        line.as_object_mut().expect("an object").remove("seconds");
        line
    });
    lines.collect()
}

#[test]
fn a_run_killed_at_random_and_resumed_ends_with_the_same_weights() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = write_bars(folder.path());
    let unbroken = folder.path().join("unbroken");
    let started = Instant::now();
    let printed = output(&arguments(&data, &unbroken));
    let whole = started.elapsed();
    assert!(printed.contains("of 40 validation images"), "{printed}");

    let broken = folder.path().join("broken");
    let first = arguments(&data, &broken);
    let resume: Vec<&str> = first.iter().copied().chain(["--resume"]).collect();
    let mut random = whole.as_nanos() as u64 | 1;
    let mut kills = 0;
    while !model(&broken).exists() {
        let begun = broken.join("checkpoints/last.safetensors").exists();
        let mut child = start(if begun { &resume } else { &first });
        if kills < 8 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let fraction = (random >> 40) as f64 / (1_u64 << 24) as f64;
            thread::sleep(whole.mul_f64(0.4 * fraction));
            kills += 1;
            // An error means that the process has already exited.
            let _ = child.kill();
        }
        child.wait().expect("waited");
    }
    println!("killed {kills} times");
    assert_eq!(tensors(&model(&broken)), tensors(&model(&unbroken)));
    assert_eq!(metrics(&broken), metrics(&unbroken));
    let recipe = |run: &Path| fs::read_to_string(run.join("recipe.toml")).expect("a recipe");
    assert_eq!(recipe(&broken), recipe(&unbroken));
    for run in [&unbroken, &broken] {
        let kept = files(&run.join("checkpoints"));
        assert_eq!(kept, ["best.safetensors", "last.safetensors"]);
        assert!(run.join("curves.svg").is_file());
    }
}

/// Waits until the run in `run` has written metrics.
fn wait_for_metrics(run: &Path) {
    while !fs::metadata(run.join("metrics.jsonl")).is_ok_and(|file| file.len() > 0) {
        thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(unix)]
#[test]
fn a_signal_saves_a_checkpoint_and_sets_the_exit_code() {
    use crate::signal;

    let folder = tempfile::tempdir().expect("a folder");
    let data = write_bars(folder.path());
    let run = folder.path().join("run");
    let mut first = arguments(&data, &run);
    first.extend(["--set", "epochs=2000"]);
    let resume = [&first[..], &["--resume"]].concat();
    for (name, code, arguments) in [
        ("TERM", 143, &first),
        ("HUP", 129, &resume),
        ("INT", 130, &resume),
    ] {
        if crate::is_ignored(name) {
            continue;
        }
        let _ = fs::remove_file(run.join("metrics.jsonl"));
        let child = start(arguments);
        wait_for_metrics(&run);
        let started = error_line(arguments);
        assert!(started.contains(text(&run)), "{started}");
        assert!(
            started.contains("in use by another training run"),
            "{started}"
        );
        signal(&child, name);
        let done = child.wait_with_output().expect("waited");
        assert_eq!(done.status.code(), Some(code), "{name}");
        let printed = String::from_utf8(done.stdout).expect("text");
        assert!(printed.contains("--resume to continue"), "{printed}");
        assert!(files(&run).iter().all(|name| !name.ends_with(".part")));
        assert!(run.join("checkpoints/last.safetensors").is_file());
    }
}

#[test]
fn of_two_runs_started_together_in_one_folder_one_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = write_bars(folder.path());
    let alone = folder.path().join("alone");
    output(&arguments(&data, &alone));
    let run = folder.path().join("run");
    let arguments = arguments(&data, &run);
    let children = [(); 3].map(|()| {
        Command::new(env!("CARGO_BIN_EXE_receptive"))
            .args(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started")
    });
    let mut codes = children.map(|child| {
        let done = child.wait_with_output().expect("waited");
        let error = String::from_utf8(done.stderr).expect("text");
        assert!(
            done.status.success() || error.contains(text(&run)),
            "{error}"
        );
        done.status.code().expect("a code")
    });
    codes.sort_unstable();
    assert_eq!(codes, [0, 2, 2]);
    assert_eq!(tensors(&model(&run)), tensors(&model(&alone)));
    assert_eq!(metrics(&run), metrics(&alone));
}

#[cfg(unix)]
#[test]
fn an_interrupt_saves_a_checkpoint_and_exits() {
    if crate::is_ignored("INT") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let data = write_bars(folder.path());
    let run = folder.path().join("run");
    let mut arguments = arguments(&data, &run);
    // Without `--save-minutes 0`: the interrupt saves the only checkpoint within an epoch.
    arguments.truncate(arguments.len() - 2);
    arguments.extend(["--set", "epochs=2000"]);
    let child = start(&arguments);
    wait_for_metrics(&run);
    crate::signal(&child, "INT");
    let done = child.wait_with_output().expect("waited");
    assert_eq!(done.status.code(), Some(130));
    let printed = String::from_utf8(done.stdout).expect("text");
    assert!(printed.contains("--resume to continue"), "{printed}");
    assert!(!model(&run).exists());
    assert_eq!(files(&run.join("checkpoints")).len(), 2);

    let again = error_line(&arguments);
    assert!(again.contains("already contains a run"), "{again}");
    let other = [&arguments[..], &["--set", "batch=8", "--resume"]].concat();
    let other = error_line(&other);
    assert!(other.contains("recipe.toml"), "{other}");
}

#[test]
fn a_trained_model_is_evaluated_and_inspected() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = write_bars(folder.path());
    let run = folder.path().join("run");
    output(&arguments(&data, &run));
    let last = metrics(&run).pop().expect("a line");
    assert_eq!(last["kind"], "epoch");

    let weights = model(&run);
    let confusion = folder.path().join("confusion.svg");
    let report = output(&[
        "eval",
        "lenet5",
        "--weights",
        text(&weights),
        "--data",
        text(&data),
        "--confusion",
        text(&confusion),
        "--json",
    ]);
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["count"], 40);
    assert_eq!(report["top1"], last["validation"]["top1"]);
    let losses = [&report["loss"], &last["validation"]["loss"]].map(|v| v.as_f64().expect("one"));
    assert!((losses[0] - losses[1]).abs() < 1e-4, "{losses:?}");
    let classes = report["per_class"].as_array().expect("classes");
    assert_eq!(classes.len(), 10);
    assert_eq!(classes[3]["class"], "3");
    assert!(
        fs::read_to_string(confusion)
            .expect("drawn")
            .starts_with("<svg")
    );

    let pictures = folder.path().join("pictures");
    let photo = crate::photo("rocket.jpg");
    receptive(&["inspect", "lenet5", "--weights", text(&weights)])
        .args(["--image", text(&photo), "-o", text(&pictures)])
        .assert()
        .success();
    let names = ["01-c1", "02-s2", "03-c3", "04-s4", "05-c5", "kernels"];
    assert_eq!(files(&pictures), names.map(|name| format!("{name}.png")));
}

#[test]
fn errors_name_the_wrong_option() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let run = text(&run);
    for (arguments, part) in [
        (&["resnet18"][..], "--data"),
        (&["lenet5", "--set", "epoch=3"], "epochs"),
        (&["lenet5", "--set", "optimizer.lr=fast"], "lr"),
        (&["lenet5", "--set", "network.dropout=0.5"], "classes"),
        (&["lenet5", "--freeze", "conv9"], "c1, s2, c3"),
        (&["lenet5", "--classes", "12"], "10 classes"),
        (&["lenet5", "--data", "no-such-folder"], "no-such-folder"),
        (&["lenet5", "--recipe", "no-such.toml"], "no-such.toml"),
        (&["lenet5", "--from", "no-such.pth"], "no-such.pth"),
        (&["lenet5", "--resume"], "no run to resume"),
        (&["lenet6"], "lenet5"),
    ] {
        let line = error_line(&[&["train"], arguments, &["--output", run]].concat());
        assert!(line.contains(part), "{line}");
        assert!(!Path::new(run).exists(), "{arguments:?}");
    }
    let line = error_line(&["eval", "resnet18", "--weights", "none.pth"]);
    assert!(line.contains("--data"), "{line}");
}

#[test]
fn a_corrupt_image_ends_the_run_or_is_skipped() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    for (class, grey) in [("dark", 20_u8), ("light", 220)] {
        let class = data.join(class);
        fs::create_dir_all(&class).expect("made");
        for image in 0..12 {
            let picture = image::RgbImage::from_pixel(32, 32, [grey + image; 3].into());
            picture
                .save(class.join(format!("{image:02}.png")))
                .expect("written");
        }
    }
    fs::write(data.join("dark/05.png"), b"\x89PNG\r\n\x1a\nand no more").expect("written");
    let run = folder.path().join("run");
    let arguments = [
        "train",
        "lenet5",
        "--data",
        text(&data),
        "--output",
        text(&run),
        "--set",
        "epochs=1",
        "--set",
        "data.evaluate=[]",
        "--set",
        "data.train=[{ kind = 'flip' }]",
    ];
    let done = receptive(&arguments).assert().code(2);
    let line = String::from_utf8_lossy(&done.get_output().stderr).into_owned();
    assert!(line.contains("dark/05.png"), "{line}");
    fs::remove_dir_all(&run).expect("removed");
    let printed = output(&[&arguments[..], &["--skip-bad"]].concat());
    assert!(
        printed.contains("skipped: ") && printed.contains("dark/05.png"),
        "{printed}"
    );
}

/// Writes photos of coloured noise, 32x32 pixels, to a folder per class of `folder`.
fn write_colours(folder: &Path, classes: &[(&str, [u8; 3])], count: u32) {
    for &(class, colour) in classes {
        let class = folder.join(class);
        fs::create_dir_all(&class).expect("made");
        for index in 0..count {
            let picture = image::RgbImage::from_fn(32, 32, |x, y| {
                let noise = ((x * 7 + y * 13 + index * 29) % 60) as u8;
                colour.map(|level| level.saturating_add(noise)).into()
            });
            let path = class.join(format!("{index:02}.png"));
            picture.save(path).expect("written");
        }
    }
}

#[test]
fn classes_and_preprocessing_stay_with_the_weights() {
    let _lock = crate::training_lock();
    let folder = tempfile::tempdir().expect("a folder");
    let name = |name: &str| folder.path().join(name);
    let classes = [
        ("amber", [180, 120, 0]),
        ("ivory", [190, 190, 180]),
        ("jade", [0, 130, 80]),
    ];
    let (data, run) = (name("data"), name("run"));
    write_colours(&data.join("train"), &classes, 12);
    write_colours(&data.join("val"), &classes, 6);
    output(&[
        "train",
        "resnet20-cifar",
        "--data",
        text(&data),
        "--output",
        text(&run),
        "--set",
        "epochs=3",
        "--set",
        "batch=12",
        "--set",
        "schedule={ kind = 'constant' }",
    ]);
    let weights = model(&run);

    // Every file that is made of the weights has the names of the classes, and eval and classify
    // agree on each image.
    let (half, torch, plan) = (name("half.safetensors"), name("a.pth"), name("net.plan"));
    let converted = |to: &Path, dtype| {
        let arguments = [
            "convert",
            text(&weights),
            text(to),
            "--model",
            "resnet20-cifar",
        ];
        output(&[&arguments[..], &["--dtype", dtype]].concat());
    };
    converted(&half, "f16");
    converted(&torch, "f32");
    output(&[
        "compile",
        "resnet20-cifar",
        "--weights",
        text(&weights),
        "-o",
        text(&plan),
    ]);
    let classify = |weights: &Path, class: &str| {
        let images = data.join("val").join(class);
        let arguments = ["classify", text(&images), "--model", "resnet20-cifar"];
        let found = output(&[&arguments[..], &["--weights", text(weights), "--json"]].concat());
        let found = crate::json(&found);
        let results = found.as_array().expect("results").iter();
        let best = results.map(|result| result["predictions"][0]["label"].clone());
        best.map(|label| label.as_str().expect("a label").to_owned())
            .collect::<Vec<_>>()
    };
    let evaluate = |data: &Path| {
        let arguments = ["eval", "resnet20-cifar", "--weights", text(&weights)];
        crate::json(&output(
            &[&arguments[..], &["--data", text(data), "--json"]].concat(),
        ))
    };
    let report = evaluate(&data);
    for (index, (class, _)) in classes.iter().enumerate() {
        let accuracy = &report["per_class"][index];
        assert_eq!(accuracy["class"], *class);
        for file in [&weights, &half, &torch, &plan] {
            let labels = classify(file, class);
            assert_eq!(labels.len(), 6);
            for label in &labels {
                assert!(classes.iter().any(|(class, _)| class == label), "{label}");
            }
            let right = labels.iter().filter(|label| label == class).count();
            let right = right as f64 / 6.0;
            assert_eq!(accuracy["top1"].as_f64(), Some(right), "{class} {file:?}");
        }
    }

    // A class is found by its name, whatever the other folders are.
    let part = name("part");
    write_colours(&part, &[classes[2], classes[1]], 6);
    let found = evaluate(&part);
    assert_eq!(found["count"], 12);
    assert_eq!(found["per_class"][0], report["per_class"][1]);
    assert_eq!(found["per_class"][1], report["per_class"][2]);

    write_colours(&part, &[("onyx", [5, 5, 5])], 1);
    let arguments = [
        "eval",
        "resnet20-cifar",
        "--weights",
        text(&weights),
        "--data",
    ];
    let line = error_line(&[&arguments[..], &[text(&part)]].concat());
    assert!(
        line.contains("\"onyx\"") && line.contains("amber, ivory, jade"),
        "{line}"
    );
    let arguments = [
        "eval",
        "resnet32-cifar",
        "--weights",
        text(&weights),
        "--data",
    ];
    let line = error_line(&[&arguments[..], &[text(&part)]].concat());
    assert!(
        line.contains("weights of resnet20-cifar, expected resnet32-cifar"),
        "{line}"
    );
}
