//! Runs that end early and go on.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use burn::tensor::Device;
use receptive_lenet::LeNet5Config;

use super::*;
use crate::data::Memory;
use crate::monitor::Plain;
use crate::random::tests::alone;
use crate::session::Session;

const CLASSES: usize = 3;

/// Bars at three heights, noise around them.
fn data() -> Data {
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
        Arc::new(Memory::new([28, 28, 1], samples.collect(), labels))
    };
    Data {
        classes: ["low", "middle", "high"].map(str::to_owned).to_vec(),
        train: images(30, 1),
        validation: images(9, 2),
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

/// Runs in `folder` until `steps` more steps are done or all are.
fn run(folder: &Path, data: &Data, resume: bool, steps: usize) -> Result<Outcome, TrainError> {
    let recipe = recipe();
    let device = Device::flex();
    let config = LeNet5Config { classes: CLASSES };
    let network = Session::fresh(&config, &device, recipe.seed);
    let mut network = Session::new(network, vec![device], &recipe).expect("a session");
    let left = Cell::new(steps);
    let stop = || {
        left.set(left.get().saturating_sub(1));
        left.get() == 0
    };
    let mut monitor = Plain::new(Vec::new());
    let run = Run {
        network: &mut network,
        recipe: &recipe,
        data,
        input: [1, 32, 32],
        folder: &Folder::new(folder),
        workers: 2,
        skip_bad: false,
        save_every: Duration::MAX,
        stop: &stop,
        monitor: &mut monitor,
    };
    if resume { run.resume() } else { run.start() }
}

/// The lines of `metrics.jsonl` without their times.
fn lines(folder: &Path) -> Vec<Line> {
    let text = fs::read_to_string(Folder::new(folder).metrics()).expect("lines");
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect(line));
    lines
        .map(|line| match line {
            Line::Epoch(record) => Line::Epoch(EpochRecord {
                seconds: 0.0,
                ..record
            }),
            step => step,
        })
        .collect()
}

#[test]
fn a_run_that_is_left_anywhere_and_resumed_is_the_unbroken_run() {
    let _turn = alone();
    let data = data();
    let unbroken = tempfile::tempdir().expect("a folder");
    let outcome = run(unbroken.path(), &data, false, usize::MAX).expect("a run");
    let Outcome::Finished(Some(last)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((last.epoch, last.step), (4, 16));
    assert!(last.validation.loss < 1.0, "{last:?}");
    let model = fs::read(Folder::new(unbroken.path()).model()).expect("weights");
    assert_eq!(lines(unbroken.path()).len(), 16 + 4);

    // Stops are counted in training and in validation, which has two batches.
    for pauses in [&[1][..], &[4], &[5, 1], &[6, 6, 6], &[1, 2, 3, 4, 5]] {
        let broken = tempfile::tempdir().expect("a folder");
        for (number, &steps) in pauses.iter().enumerate() {
            let outcome = run(broken.path(), &data, number > 0, steps).expect("a part");
            assert!(matches!(outcome, Outcome::Stopped { .. }), "{outcome:?}");
            assert!(!Folder::new(broken.path()).model().exists());
        }
        let outcome = run(broken.path(), &data, true, usize::MAX).expect("the rest");
        assert!(matches!(outcome, Outcome::Finished(Some(_))));
        let resumed = fs::read(Folder::new(broken.path()).model()).expect("weights");
        assert!(resumed == model, "other weights after {pauses:?}");
        assert_eq!(lines(broken.path()), lines(unbroken.path()), "{pauses:?}");
        let best = |folder: &Path| fs::read(Folder::new(folder).best()).expect("weights");
        assert!(best(broken.path()) == best(unbroken.path()));
    }
}

#[test]
fn a_finished_run_that_is_resumed_writes_the_same_weights() {
    let _turn = alone();
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
        Recipe::parse(&text, "its own", &[]).expect("read"),
        recipe()
    );
}

#[test]
fn folders_are_not_mixed_up() {
    let _turn = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let mut data = data();
    let none = run(folder.path(), &data, true, 1).expect_err("nothing there");
    assert!(none.to_string().contains("last.safetensors"), "{none}");
    run(folder.path(), &data, false, 1).expect("a part");
    let occupied = run(folder.path(), &data, false, 1).expect_err("a run is there");
    assert!(occupied.to_string().contains("--resume"), "{occupied}");
    data.validation = Arc::clone(&data.train);
    let other = run(folder.path(), &data, true, 1).expect_err("other data");
    assert!(
        other.to_string().contains("30 + 9, now it is 30 + 30"),
        "{other}"
    );
}

#[test]
fn what_the_schedule_saw_is_remembered() {
    let _turn = alone();
    let folder = tempfile::tempdir().expect("a folder");
    run(folder.path(), &data(), false, usize::MAX).expect("a run");
    let rates: Vec<f64> = lines(folder.path())
        .into_iter()
        .filter_map(|line| match line {
            Line::Step(step) => Some(step.rate),
            Line::Epoch(_) => None,
        })
        .collect();
    assert!(rates.is_sorted_by(|a, b| a >= b), "{rates:?}");
}
