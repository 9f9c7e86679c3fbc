//! Training on ranks of MPI: `mpirun` starts the program several times. Needs `mpirun` in the path.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use receptive_layers::sha256;

const PROGRAM: &str = env!("CARGO_BIN_EXE_receptive");

/// Options that let root start more ranks than there are cores. Each rank computes on one thread.
fn mpirun(ranks: usize) -> Command {
    let mut command = Command::new("mpirun");
    command
        .args([
            "--allow-run-as-root",
            "--oversubscribe",
            "--bind-to",
            "none",
        ])
        .args(["-n", &ranks.to_string()])
        .env("OMPI_MCA_btl_vader_single_copy_mechanism", "none")
        .env("RECEPTIVE_CACHE", "no-such-folder")
        .env_remove("RUST_BACKTRACE");
    command
}

/// A training run of four parts.
struct Training {
    network: &'static str,
    options: Vec<String>,
}

impl Training {
    fn new(network: &'static str, options: &[&str]) -> Self {
        let options = options.iter().map(|&option| option.to_owned()).collect();
        Self { network, options }
    }

    fn arguments(&self, run: &Path) -> Vec<String> {
        let mut arguments = vec!["train".to_owned(), self.network.to_owned()];
        arguments.extend(["--output".to_owned(), run.display().to_string()]);
        arguments.extend(
            [
                "--parts",
                "4",
                "--threads",
                "1",
                "--workers",
                "1",
                "--plain",
            ]
            .map(str::to_owned),
        );
        arguments.extend(self.options.iter().cloned());
        arguments
    }

    /// Runs on as many ranks, or without `mpirun` for 0.
    fn start(&self, ranks: usize, run: &Path, more: &[&str]) -> Child {
        let mut command = match ranks {
            0 => Command::new(PROGRAM),
            ranks => {
                let mut command = mpirun(ranks);
                command.arg(PROGRAM);
                command
            }
        };
        command
            .args(self.arguments(run))
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("mpirun in the path")
    }

    fn run(&self, ranks: usize, run: &Path, more: &[&str]) -> Output {
        let child = self.start(ranks, run, more);
        child.wait_with_output().expect("waited")
    }
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// SHA-256 of the weights of a finished run.
fn digest(run: &Path) -> String {
    let weights = fs::File::open(run.join("model.safetensors")).expect("weights");
    sha256::of_reader(weights).expect("read")
}

/// Metrics of a run without times.
fn metrics(run: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).expect("metrics");
    let mut records: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    for record in &mut records {
        if let Some(fields) = record.as_object_mut() {
            fields.remove("seconds");
        }
    }
    records
}

/// Writes a dataset of noisy 32x32 images of three colours, which are the classes.
fn write_colours(folder: &Path) -> PathBuf {
    let data = folder.join("data");
    let mut state = 1_u64;
    for (class, colour) in [[200_u8, 60, 60], [60, 200, 60], [60, 60, 200]]
        .iter()
        .enumerate()
    {
        for (split, count) in [("train", 10), ("val", 4)] {
            let folder = data.join(split).join(format!("colour{class}"));
            fs::create_dir_all(&folder).expect("made");
            for index in 0..count {
                let image = image::RgbImage::from_fn(32, 32, |_, _| {
                    image::Rgb(colour.map(|value| {
                        state = state
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1);
                        value.wrapping_add((state >> 58) as u8)
                    }))
                });
                image
                    .save(folder.join(format!("{index}.png")))
                    .expect("written");
            }
        }
    }
    data
}

fn assert_equal_on_all_ranks(training: &Training) {
    let folder = tempfile::tempdir().expect("a folder");
    let alone = folder.path().join("alone");
    let done = training.run(0, &alone, &[]);
    assert!(done.status.success(), "{}", errors(&done));
    for ranks in 1..=4 {
        let run = folder.path().join(format!("{ranks}"));
        let done = training.run(ranks, &run, &[]);
        assert!(done.status.success(), "{ranks} ranks: {}", errors(&done));
        assert_eq!(digest(&run), digest(&alone), "{ranks} ranks");
        assert_eq!(metrics(&run), metrics(&alone), "{ranks} ranks");
    }
}

#[test]
fn lenet5_has_the_same_weights_on_1_to_4_ranks() {
    let options = [
        "--set",
        "epochs=1",
        "--set",
        "batch=256",
        "--set",
        "ema=0.9",
    ];
    assert_equal_on_all_ranks(&Training::new("lenet5", &options));
}

#[test]
fn resnet20_has_the_same_weights_on_1_to_4_ranks() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = write_colours(folder.path());
    let data = data.to_str().expect("a path in UTF-8");
    let options = [
        "--data", data, "--set", "epochs=2", "--set", "batch=10", "--set",
    ];
    let mixup = "data.mix={kind='mixup', alpha=0.2}";
    assert_equal_on_all_ranks(&Training::new(
        "resnet20-cifar",
        &[&options[..], &[mixup]].concat(),
    ));
}

#[test]
fn mobilenet_v2_has_the_same_weights_on_1_to_4_ranks() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = write_colours(folder.path());
    let data = data.to_str().expect("a path in UTF-8");
    let weights = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/assets/mobilenet_v2-f16.safetensors"
    );
    // Dropout is on; half of the gradient is sent.
    let options = [
        "--data",
        data,
        "--from",
        weights,
        "--set",
        "epochs=1",
        "--set",
        "batch=8",
        "--set",
        "gradients=bf16",
    ];
    assert_equal_on_all_ranks(&Training::new("mobilenet-v2", &options));
}

#[test]
fn an_evaluation_is_the_same_on_1_to_4_ranks() {
    let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/lenet5.safetensors");
    let evaluate = |mut command: Command| {
        command.args(["eval", "lenet5", "--weights", weights, "--json"]);
        let done = command.output().expect("mpirun in the path");
        assert!(done.status.success(), "{}", errors(&done));
        String::from_utf8(done.stdout).expect("text")
    };
    let expected = evaluate(Command::new(PROGRAM));
    assert!(expected.contains("\"count\": 1500"), "{expected}");
    for ranks in 1..=4 {
        let mut command = mpirun(ranks);
        command.arg(PROGRAM);
        assert_eq!(evaluate(command), expected, "{ranks} ranks");
    }
}

#[test]
fn a_killed_rank_ends_the_run_and_fewer_ranks_resume_it() {
    const KILLS: usize = 10;
    let folder = tempfile::tempdir().expect("a folder");
    let options = [
        "--set",
        "epochs=2",
        "--set",
        "batch=64",
        "--save-minutes",
        "0",
    ];
    let training = Training::new("lenet5", &options);
    let unbroken = folder.path().join("unbroken");
    let started = Instant::now();
    assert!(training.run(4, &unbroken, &[]).status.success());
    let whole = started.elapsed();

    let broken = folder.path().join("broken");
    let mut random = whole.as_nanos() as u64 | 1;
    let mut draw = |below: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 33) as usize % below
    };
    let (mut kills, mut resumptions) = (0, 0);
    for kill in 0..KILLS {
        let begun = broken.join("checkpoints/last.safetensors").exists();
        let resume: &[&str] = if begun { &["--resume"] } else { &[] };
        let ranks = 1 + (3 - kill % 4);
        let mut child = training.start(ranks, &broken, resume);
        thread::sleep(whole.mul_f64(draw(1000) as f64 / 2000.0));
        let found = ranks_of(child.id());
        if let Some(&rank) = found.get(draw(found.len().max(1))) {
            signal(rank, "KILL");
            kills += 1;
        }
        resumptions += usize::from(begun);
        let started = Instant::now();
        let _ = child.wait().expect("waited");
        assert!(started.elapsed() < whole + Duration::from_secs(60));
    }
    let resume: &[&str] = match broken.join("checkpoints/last.safetensors").exists() {
        true => &["--resume"],
        false => &[],
    };
    assert!(kills > 0 && resumptions > 0, "{kills}, {resumptions}");
    // The last process is alone, without MPI.
    let done = training.run(0, &broken, resume);
    assert!(done.status.success(), "{}", errors(&done));
    assert_eq!(digest(&broken), digest(&unbroken));
    assert_eq!(metrics(&broken), metrics(&unbroken));
}

#[test]
fn a_stopped_rank_is_named_after_the_timeout() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let training = Training::new("lenet5", &["--set", "epochs=1000", "--rank-timeout", "3"]);
    let child = training.start(3, &run, &[]);
    let metrics = run.join("metrics.jsonl");
    while !fs::metadata(&metrics).is_ok_and(|file| file.len() > 0) {
        thread::sleep(Duration::from_millis(50));
    }
    let ranks = ranks_of(child.id());
    assert_eq!(ranks.len(), 3);
    let stopped = ranks[1];
    signal(stopped, "STOP");
    let started = Instant::now();
    let done = child.wait_with_output().expect("waited");
    assert!(started.elapsed() < Duration::from_secs(30));
    assert!(!done.status.success());
    let text = errors(&done);
    let silent: Vec<&str> = text
        .lines()
        .filter_map(|line| Some(line.split_once("no answer from rank")?.1))
        .filter_map(|line| Some(line.split_once(" for 3 seconds")?.0))
        .collect();
    assert!(!silent.is_empty(), "{text}");
    // A stopped process can block the shared-memory queues that it was writing to, so the list can have
    // ranks that wait for it.
    for ranks in silent {
        let mut ranks = ranks.split([' ', ',']);
        assert!(ranks.any(|rank| rank == "1"), "{text}");
    }
}

#[test]
fn ranks_that_differ_are_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let training = Training::new("lenet5", &["--set", "epochs=1"]);
    let run = folder.path().join("run");
    let mut command = mpirun(1);
    command.arg(PROGRAM).args(training.arguments(&run));
    command
        .args([":", "-n", "1", PROGRAM])
        .args(training.arguments(&run));
    command.args(["--set", "batch=100"]);
    let done = command.output().expect("mpirun in the path");
    assert!(!done.status.success());
    let text = errors(&done);
    assert!(
        text.contains("the SHA-256 of the recipe of rank 1 is"),
        "{text}"
    );
    assert!(!run.exists());

    let done = training.run(5, &run, &[]);
    let text = errors(&done);
    assert!(
        text.contains("4 parts") && text.contains("5 ranks were started"),
        "{text}"
    );
    assert!(!run.exists());
}

/// Process ids of the ranks that `mpirun` has started, in their order.
fn ranks_of(mpirun: u32) -> Vec<u32> {
    let found = Command::new("pgrep")
        .args(["-P", &mpirun.to_string(), "receptive"])
        .output();
    let found = String::from_utf8(found.expect("pgrep").stdout).expect("numbers");
    found.lines().filter_map(|line| line.parse().ok()).collect()
}

fn signal(process: u32, name: &str) {
    // The process may have ended.
    let _ = Command::new("kill")
        .args([&format!("-{name}"), &process.to_string()])
        .status();
}
