//! Output files: full disks, devices, links and signals.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::{error_line, files, lenet, photo, receptive, text};

/// Commands that write a file to the path `output`, whose extension is that of the file.
fn writers<'a>(weights: &'a str, array: &'a str, output: &'a str) -> Vec<Vec<&'a str>> {
    vec![
        vec!["draw", "lenet5", "--format", "svg", "-o", output],
        vec![
            "run",
            "lenet5",
            "--weights",
            weights,
            "--input",
            array,
            "--output",
            output,
        ],
        vec!["compile", "lenet5", "--weights", weights, "-o", output],
    ]
}

/// Writes an array of one image for LeNet-5 to `folder`.
fn array(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("images.npy");
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 32, 32), }\n";
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend([0; 4 * 32 * 32]);
    fs::write(&path, bytes).expect("written");
    path
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_of_every_command_that_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, weights) = lenet(folder.path(), 10);
    let array = array(folder.path());
    let pictures = folder.path().join("pictures");
    fs::create_dir(&pictures).expect("made");
    std::os::unix::fs::symlink("/dev/full", pictures.join("kernels.png")).expect("linked");
    let link = |name: &str| {
        let path = folder.path().join(name);
        std::os::unix::fs::symlink("/dev/full", &path).expect("linked");
        path
    };
    let (safetensors, pytorch, burnpack) = (link("a.safetensors"), link("a.pth"), link("a.bpk"));
    let mut commands = writers(text(&weights), text(&array), "/dev/full");
    commands.push(vec![
        "inspect",
        "lenet5",
        "--weights",
        text(&weights),
        "-o",
        text(&pictures),
    ]);
    for output in [&safetensors, &pytorch, &burnpack] {
        commands.push(vec![
            "convert",
            text(&weights),
            text(output),
            "--model",
            "lenet5",
        ]);
    }
    for command in &commands {
        let line = error_line(command);
        assert!(line.contains("No space left on device"), "{line}");
        assert!(!line.contains(".part"), "{line}");
    }
    for link in ["a.safetensors", "a.pth", "a.bpk", "pictures/kernels.png"] {
        assert!(folder.path().join(link).is_symlink(), "{link}");
    }
    // Standard output.
    for command in [
        &["summary", "lenet5"][..],
        &["models"],
        &["draw", "lenet5"],
        &["completions", "bash"],
        &["classify", "--model", "lenet5", text(&photo("rocket.jpg"))],
    ] {
        let full = fs::File::options()
            .write(true)
            .open("/dev/full")
            .expect("open");
        let done = Command::new(env!("CARGO_BIN_EXE_receptive"))
            .args(command)
            .stdout(full)
            .output()
            .expect("run");
        assert_eq!(done.status.code(), Some(2), "{command:?}");
        let error = String::from_utf8(done.stderr).expect("text");
        assert!(error.contains("No space left on device"), "{error}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn standard_output_is_written_to_and_links_are_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let redirected = folder.path().join("redirected.svg");
    let link = folder.path().join("link.svg");
    std::os::unix::fs::symlink("target.svg", &link).expect("linked");
    let draw = ["draw", "lenet5", "--format", "svg", "-o"];
    let done = Command::new(env!("CARGO_BIN_EXE_receptive"))
        .args(draw)
        .arg("/dev/stdout")
        .stdout(fs::File::create(&redirected).expect("created"))
        .status();
    assert!(done.expect("run").success());
    receptive(&draw).arg(&link).assert().success();
    assert!(link.is_symlink());
    let drawn = fs::read(&redirected).expect("read");
    assert!(drawn.starts_with(b"<svg"));
    assert!(fs::read(folder.path().join("target.svg")).expect("read") == drawn);
    assert_eq!(files(folder.path()).len(), 3);
}

#[cfg(unix)]
#[test]
fn a_signal_leaves_no_scratch_file() {
    use std::os::unix::process::ExitStatusExt;

    let folder = tempfile::tempdir().expect("a folder");
    let temporary = folder.path().join("temporary");
    fs::create_dir(&temporary).expect("made");
    let (_, weights) = lenet(folder.path(), 10);
    let array = array(folder.path());
    // The commands write a scratch file and then wait for a reader of the pipe.
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("run");
    assert!(made.success());
    let names = [("INT", 2), ("TERM", 15), ("HUP", 1)];
    let commands = writers(text(&weights), text(&array), text(&pipe));
    for (command, (name, number)) in commands.iter().zip(names) {
        if crate::is_ignored(name) {
            continue;
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_receptive"))
            .args(command)
            .env("TMPDIR", &temporary)
            .stdout(Stdio::null())
            .spawn()
            .expect("started");
        while files(&temporary).is_empty() {
            assert!(child.try_wait().expect("waited").is_none(), "{command:?}");
            thread::sleep(Duration::from_millis(10));
        }
        crate::signal(&child, name);
        let status = child.wait().expect("waited");
        assert_eq!(status.signal(), Some(number), "{status:?}");
        assert_eq!(files(&temporary).len(), 0, "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_scratch_file_of_a_killed_process_is_deleted_by_the_next_one() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(".receptive-a1b2c3.part"), "left").expect("written");
    let drawing = folder.path().join("lenet5.svg");
    receptive(&["draw", "lenet5", "-o", text(&drawing)])
        .assert()
        .success();
    assert_eq!(files(folder.path()), ["lenet5.svg"]);
}
