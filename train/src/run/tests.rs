//! Runs that are stopped and resumed.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use burn::tensor::Device;
use receptive_lenet::LeNet5Config;

use super::*;
use crate::cluster::Alone;
use crate::data::InMemoryDataset;
use crate::monitor::Plain;
use crate::random::tests::lock_rng;
use crate::session::Session;

const CLASSES: usize = 3;

/// Dataset with three classes: a horizontal bar at one of three heights, with noise.
fn data() -> DataSplits {
    use rand::RngExt;
    let images = |count: usize, salt: u64| -> Arc<dyn Dataset> {
        let mut random = crate::stream(salt, crate::Purpose::Augmentation, [0, 0]);
        let labels: Vec<usize> = (0..count).map(|image| image % CLASSES).collect();
        let samples = labels.iter().flat_map(|&label| {
            let bar = 8 * label..8 * label + 6;
            let level = move |row| if bar.contains(&row) { 200 } else { 20 };
            (0..28 * 28)
                .map(|pixel| level(pixel / 28) + random.random_range(0..50))
                .collect::<Vec<u8>>()
        });
        Arc::new(InMemoryDataset::new([28, 28, 1], samples.collect(), labels))
    };
    DataSplits {
        classes: ["low", "middle", "high"].map(str::to_owned).to_vec(),
        train: images(30, 1),
        validation: images(9, 2),
        left_out: receptive_layers::image::LeftOut::default(),
    }
}

fn recipe() -> Recipe {
    let text = "
        epochs = 4
        batch = 8
        ema = 0.5
        loss.kind = 'cross_entropy'
        optimizer = { kind = 'sgd', lr = 0.02, momentum = 0.9 }
        schedule = { kind = 'plateau', patience = 1, factor = 0.5 }

        [data]
        normalise = { mean = [0.5], std = [0.5] }
        mix = { kind = 'mixup', alpha = 0.2 }
        train = [{ kind = 'random_crop', size = 32, padding = 3 }]
        evaluate = [{ kind = 'pad', pixels = 2 }]
    ";
    Recipe::parse(text, "test", &[]).expect("a recipe")
}

/// Starts or resumes a run in `folder` and stops it after `batches` mini-batches, of training or
/// validation.
fn run(
    folder: &Path,
    data: &DataSplits,
    resume: bool,
    batches: usize,
) -> Result<Outcome, TrainError> {
    run_with(folder, data, resume, batches, false)
}

fn run_with(
    folder: &Path,
    data: &DataSplits,
    resume: bool,
    batches: usize,
    accept_changes: bool,
) -> Result<Outcome, TrainError> {
    run_and_print(folder, data, resume, batches, accept_changes).0
}

/// As [`run_with`], with the lines that the run prints.
fn run_and_print(
    folder: &Path,
    data: &DataSplits,
    resume: bool,
    batches: usize,
    accept_changes: bool,
) -> (Result<Outcome, TrainError>, String) {
    let recipe = recipe();
    let device = Device::flex();
    let config = LeNet5Config { classes: CLASSES };
    let network = Session::init_network(&config, &device, recipe.seed);
    let mut network = Session::new(network, vec![device], &recipe).expect("a session");
    let remaining = Cell::new(batches);
    let stop = || {
        remaining.set(remaining.get().saturating_sub(1));
        remaining.get() == 0
    };
    let mut monitor = Plain::new(Vec::new());
    let run = Run {
        name: "lenet5",
        network: &mut network,
        recipe: &recipe,
        data,
        input: [1, 32, 32],
        folder: &Folder::new(folder),
        workers: 2,
        skip_bad: false,
        accept_changes,
        save_every: Duration::MAX,
        stop: &stop,
        monitor: &mut monitor,
        cluster: &Alone,
    };
    let outcome = if resume { run.resume() } else { run.start() };
    let printed = String::from_utf8(monitor.into_inner()).expect("text");
    (outcome, printed)
}

/// The records of `metrics.jsonl`, with times set to 0.
fn records(folder: &Path) -> Vec<Record> {
    let text = fs::read_to_string(Folder::new(folder).metrics()).expect("lines");
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect(line));
    lines
        .map(|record| match record {
            Record::Epoch(record) => Record::Epoch(EpochRecord {
                seconds: 0.0,
                ..record
            }),
            step => step,
        })
        .collect()
}

#[test]
fn a_stopped_and_resumed_run_equals_the_uninterrupted_run() {
    let _rng_lock = lock_rng();
    let data = data();
    let uninterrupted = tempfile::tempdir().expect("a folder");
    let outcome = run(uninterrupted.path(), &data, false, usize::MAX).expect("a run");
    let Outcome::Finished(Some(last)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((last.epoch, last.step), (4, 16));
    assert!(last.validation.loss < 1.0, "{last:?}");
    let model = fs::read(Folder::new(uninterrupted.path()).model()).expect("weights");
    assert_eq!(records(uninterrupted.path()).len(), 16 + 4);

    // The stop callback is called after training and validation mini-batches; validation has two.
    for stops in [&[1][..], &[4], &[5, 1], &[6, 6, 6], &[1, 2, 3, 4, 5]] {
        let interrupted = tempfile::tempdir().expect("a folder");
        for (index, &batches) in stops.iter().enumerate() {
            let outcome =
                run(interrupted.path(), &data, index > 0, batches).expect("a stopped run");
            assert!(matches!(outcome, Outcome::Stopped { .. }), "{outcome:?}");
            assert!(!Folder::new(interrupted.path()).model().exists());
        }
        let outcome = run(interrupted.path(), &data, true, usize::MAX).expect("a resumed run");
        assert!(matches!(outcome, Outcome::Finished(Some(_))));
        let resumed = fs::read(Folder::new(interrupted.path()).model()).expect("weights");
        assert!(resumed == model, "other weights after {stops:?}");
        assert_eq!(
            records(interrupted.path()),
            records(uninterrupted.path()),
            "{stops:?}"
        );
        let best = |folder: &Path| fs::read(Folder::new(folder).best()).expect("weights");
        assert!(best(interrupted.path()) == best(uninterrupted.path()));
    }
}

#[test]
fn resuming_a_finished_run_writes_the_same_weights() {
    let _rng_lock = lock_rng();
    let folder = tempfile::tempdir().expect("a folder");
    let data = data();
    run(folder.path(), &data, false, usize::MAX).expect("a run");
    let files = Folder::new(folder.path());
    let model = fs::read(files.model()).expect("weights");
    fs::remove_file(files.model()).expect("removed");
    let outcome = run(folder.path(), &data, true, usize::MAX).expect("resumed");
    assert!(matches!(outcome, Outcome::Finished(Some(record)) if record.epoch == 4));
    assert!(fs::read(files.model()).expect("weights") == model);
    let drawing = fs::read_to_string(files.curves()).expect("a drawing");
    assert!(drawing.starts_with("<svg") && drawing.contains("validation"));
    let text = fs::read_to_string(files.recipe()).expect("a recipe");
    assert_eq!(
        Recipe::parse(&text, "recipe.toml", &[]).expect("read"),
        recipe()
    );
}

#[test]
fn a_folder_accepts_only_its_own_run() {
    let _rng_lock = lock_rng();
    let folder = tempfile::tempdir().expect("a folder");
    let mut data = data();
    let missing = run(folder.path(), &data, true, 1).expect_err("no checkpoint");
    assert!(
        missing.to_string().contains("last.safetensors"),
        "{missing}"
    );
    run(folder.path(), &data, false, 1).expect("a stopped run");
    let exists = run(folder.path(), &data, false, 1).expect_err("a run exists");
    assert!(exists.to_string().contains("--resume"), "{exists}");
    data.validation = Arc::clone(&data.train);
    let other = run(folder.path(), &data, true, 1).expect_err("other data");
    assert!(
        other.to_string().contains("30 + 9, now it is 30 + 30"),
        "{other}"
    );
}

/// Returns `data` with other noise in the training images.
fn other_noise(data: DataSplits) -> DataSplits {
    let images = (0..data.train.len()).map(|index| {
        let image = data.train.image(index).expect("an image");
        image.samples.into_iter().map(|sample| sample ^ 1)
    });
    let labels = (0..data.train.len()).map(|index| data.train.label(index));
    let images: Vec<u8> = images.flatten().collect();
    DataSplits {
        train: Arc::new(InMemoryDataset::new([28, 28, 1], images, labels.collect())),
        ..data
    }
}

#[test]
fn a_run_on_changed_data_is_resumed_only_on_request() {
    let _rng_lock = lock_rng();
    let folder = tempfile::tempdir().expect("a folder");
    run(folder.path(), &data(), false, 1).expect("a stopped run");
    let other = other_noise(data());
    let error = run(folder.path(), &other, true, 1).expect_err("other images");
    assert!(error.to_string().contains("digest"), "{error}");
    let outcome = run_with(folder.path(), &other, true, 1, true).expect("accepted");
    assert!(matches!(outcome, Outcome::Stopped { .. }), "{outcome:?}");
}

#[test]
fn a_run_is_never_resumed_with_other_classes() {
    let _rng_lock = lock_rng();
    let folder = tempfile::tempdir().expect("a folder");
    run(folder.path(), &data(), false, 1).expect("a stopped run");
    let mut renamed = data();
    renamed.classes[1] = "centre".to_owned();
    let error = run_with(folder.path(), &renamed, true, 1, true).expect_err("another class");
    let text = error.to_string();
    assert!(text.contains("\"middle\", now it is \"centre\""), "{text}");
}

#[test]
fn weights_are_stored_with_their_network_classes_and_preprocessing() {
    let _rng_lock = lock_rng();
    let folder = tempfile::tempdir().expect("a folder");
    run(folder.path(), &data(), false, usize::MAX).expect("a run");
    let files = Folder::new(folder.path());
    for path in [files.model(), files.best(), files.last()] {
        let weights = receptive_layers::weights::StateDict::open(&path).expect("weights");
        let metadata = weights.metadata();
        assert_eq!(metadata.network.as_deref(), Some("lenet5"));
        assert_eq!(metadata.labels, Some(data().classes));
        assert_eq!(metadata.input, Some([1, 32, 32]));
        assert_eq!(metadata.recipe_sha256, recipe().sha256().ok());
        let preprocessing = metadata.preprocessing.expect("stored");
        assert_eq!((preprocessing.resize, preprocessing.crop), (28, 32));
        assert_eq!(
            (preprocessing.mean, preprocessing.std),
            ([0.5; 3], [0.5; 3])
        );
    }
}

#[test]
fn a_folder_is_locked_while_a_run_uses_it() {
    let _rng_lock = lock_rng();
    let folder = tempfile::tempdir().expect("a folder");
    let data = data();
    let path = folder.path().join("run");
    run(&path, &data, false, 1).expect("a stopped run");
    let files = Folder::new(&path);
    let lock = files.lock_existing().expect("not locked").expect("a file");
    let before = fs::read(files.last()).expect("a checkpoint");
    for resume in [false, true] {
        let refused = run(&path, &data, resume, 1).expect_err("locked");
        assert!(matches!(refused, TrainError::Locked { .. }), "{refused}");
        let message = refused.to_string();
        assert!(message.contains(path.to_str().expect("UTF-8")), "{message}");
    }
    assert!(fs::read(files.last()).expect("a checkpoint") == before);
    drop(lock);
    let outcome = run(&path, &data, true, usize::MAX).expect("a resumed run");
    assert!(matches!(outcome, Outcome::Finished(Some(_))));
}

/// Damages `metrics.jsonl` of a run that was stopped in its second epoch, and resumes the run.
/// Returns the number of records, and the warnings.
fn resume_with_damaged_metrics(damage: impl Fn(&Path, Vec<u8>)) -> (usize, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let data = data();
    run(folder.path(), &data, false, 8).expect("a stopped run");
    let files = Folder::new(folder.path());
    damage(
        &files.metrics(),
        fs::read(files.metrics()).expect("metrics"),
    );
    let (outcome, printed) = run_and_print(folder.path(), &data, true, usize::MAX, false);
    assert!(matches!(outcome, Ok(Outcome::Finished(_))), "{outcome:?}");
    assert!(files.curves().is_file());
    let warnings = printed.lines().filter(|line| line.contains("warning"));
    (
        records(folder.path()).len(),
        warnings.map(str::to_owned).collect(),
    )
}

#[test]
fn damaged_metrics_do_not_stop_a_run() {
    let _rng_lock = lock_rng();
    // The stopped run has four steps and an epoch, and two steps: seven of all twenty records.
    let (all, none) = resume_with_damaged_metrics(|_, _| {});
    assert_eq!((all, none.len()), (20, 0));
    let line_ends = |bytes: &[u8]| -> Vec<usize> {
        let newlines = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        newlines.map(|(at, _)| at + 1).collect()
    };
    type Change = fn(Vec<u8>, &[usize]) -> Vec<u8>;
    let damages: [(Change, usize); 6] = [
        // Cut within the sixth line.
        (|bytes, ends| bytes[..ends[5] - 3].to_vec(), 5),
        // Cut after the fifth.
        (|bytes, ends| bytes[..ends[4]].to_vec(), 5),
        (|_, _| Vec::new(), 0),
        (|bytes, _| vec![0; bytes.len()], 0),
        // A block of zeros, as after a loss of power.
        (
            |mut bytes, ends| {
                bytes[ends[2] + 4..].fill(0);
                bytes
            },
            3,
        ),
        // Two lines torn into one by a second writer.
        (
            |mut bytes, ends| {
                bytes.splice(ends[1] - 5..ends[1] + 5, []);
                bytes
            },
            1,
        ),
    ];
    for (change, kept) in damages {
        let (count, warnings) = resume_with_damaged_metrics(|path, bytes| {
            let ends = line_ends(&bytes);
            fs::write(path, change(bytes, &ends)).expect("written");
        });
        assert_eq!(count, 20 - (7 - kept), "{warnings:?}");
        assert_eq!(warnings.len(), 1);
        let expected =
            format!("metrics.jsonl was damaged and is cut after its last whole line, line {kept};");
        assert!(warnings[0].contains(&expected), "{warnings:?}");
    }
    let (count, warnings) = resume_with_damaged_metrics(|path, _| {
        fs::remove_file(path).expect("removed");
    });
    assert_eq!((count, warnings.len()), (13, 1));
}

#[test]
fn the_plateau_state_is_kept_between_epochs() {
    let _rng_lock = lock_rng();
    let folder = tempfile::tempdir().expect("a folder");
    run(folder.path(), &data(), false, usize::MAX).expect("a run");
    let rates: Vec<f64> = records(folder.path())
        .into_iter()
        .filter_map(|record| match record {
            Record::Step(step) => Some(step.rate),
            Record::Epoch(_) => None,
        })
        .collect();
    assert!(rates.is_sorted_by(|a, b| a >= b), "{rates:?}");
}
