//! The same batches whatever makes them.

use std::path::Path;

use receptive_layers::image::{ImageError, OpenError};

use super::*;
use crate::augment::{Flip, RandomCrop, Transform};
use crate::picture::Picture;

/// Pictures of one grey each; the ones of the numbers in `broken` cannot be read.
struct Greys {
    count: usize,
    broken: Vec<usize>,
}

impl Dataset for Greys {
    fn len(&self) -> usize {
        self.count
    }

    fn label(&self, index: usize) -> usize {
        index % 3
    }

    fn picture(&self, index: usize) -> Result<Picture, DataError> {
        if self.broken.contains(&index) {
            return Err(DataError::Image(OpenError {
                path: Path::new("folder").join(format!("{index}.png")),
                reason: ImageError::Empty,
            }));
        }
        let samples = (0..16).map(|pixel| (index * 16 + pixel) as u8).collect();
        Ok(Picture {
            width: 4,
            height: 4,
            channels: 1,
            samples,
        })
    }
}

fn loader(workers: usize, broken: Vec<usize>) -> Loader {
    Loader {
        dataset: Arc::new(Greys { count: 23, broken }),
        preparation: Preparation {
            transforms: vec![
                Transform::RandomCrop(RandomCrop {
                    size: 4,
                    padding: 1,
                }),
                Transform::Flip(Flip { probability: 0.5 }),
            ],
            normalisation: Normalisation {
                mean: vec![0.5],
                std: vec![0.25],
            },
            shape: [1, 4, 4],
            classes: 3,
            smoothing: 0.3,
        },
        mix: Some(Mix::Mixup { alpha: 0.4 }),
        batch: 5,
        shuffle: true,
        seed: 11,
        workers,
        skip_bad: false,
    }
}

fn batches(loader: &Loader, epoch: u64, first: usize) -> Vec<Batch> {
    loader
        .epoch(epoch, first)
        .collect::<Result<_, _>>()
        .expect("read")
}

#[test]
fn batches_are_the_same_whatever_the_number_of_workers() {
    let one = batches(&loader(1, Vec::new()), 3, 0);
    assert_eq!(one.len(), 5);
    assert_eq!(one[4].len(), 3);
    for workers in [2, 3, 8, 100] {
        assert_eq!(batches(&loader(workers, Vec::new()), 3, 0), one);
    }
    let later = batches(&loader(3, Vec::new()), 3, 2);
    assert_eq!(later, one[2..]);
}

#[test]
fn epochs_and_seeds_differ_and_each_image_comes_once() {
    let first = batches(&loader(2, Vec::new()), 0, 0);
    assert_ne!(batches(&loader(2, Vec::new()), 1, 0), first);
    let mut other = loader(2, Vec::new());
    other.seed = 12;
    assert_ne!(batches(&other, 0, 0), first);
    let mut labels: Vec<usize> = first.into_iter().flat_map(|batch| batch.labels).collect();
    labels.sort_unstable();
    let mut expected: Vec<usize> = (0..23).map(|index| index % 3).collect();
    expected.sort_unstable();
    assert_eq!(labels, expected);
}

#[test]
fn targets_are_smooth_and_samples_normalised() {
    let mut plain = loader(1, Vec::new());
    plain.mix = None;
    plain.shuffle = false;
    plain.preparation.transforms.clear();
    let batch = batches(&plain, 0, 0).swap_remove(0);
    let target = [0.8_f32, 0.1, 0.1];
    for (found, expected) in batch.targets[..3].iter().zip(target) {
        assert!((found - expected).abs() < 1e-6);
    }
    assert_eq!(batch.images[5], (5.0 / 255.0 - 0.5) / 0.25);
}

#[test]
fn a_bad_image_ends_the_epoch_with_its_name_or_is_counted() {
    let strict = loader(2, vec![7, 9]);
    let error = strict.epoch(0, 0).find_map(Result::err).expect("an error");
    let named = error.to_string();
    assert!(
        named.contains("7.png") || named.contains("9.png"),
        "{named}"
    );
    let mut patient = strict;
    patient.skip_bad = true;
    let batches = batches(&patient, 0, 0);
    assert_eq!(batches.iter().map(Batch::len).sum::<usize>(), 21);
    assert_eq!(batches.iter().map(|b| b.skipped.len()).sum::<usize>(), 2);
}

#[test]
fn a_wrong_size_says_what_was_expected() {
    let mut wrong = loader(1, Vec::new());
    wrong.preparation.shape = [1, 5, 4];
    let error = wrong.epoch(0, 0).find_map(Result::err).expect("an error");
    let text = error.to_string();
    assert!(
        text.contains("is 4x4") && text.contains("expected 5x4"),
        "{text}"
    );
}

#[test]
fn an_epoch_that_is_left_ends_its_threads() {
    let mut epoch = loader(4, Vec::new()).epoch(0, 0);
    assert!(epoch.next().is_some_and(|batch| batch.is_ok()));
    drop(epoch);
}
