//! Tests of the data loader.

use std::path::Path;

use receptive_layers::image::{ImageError, OpenError};
use sha2::{Digest, Sha256};

use super::*;
use crate::augment::{Flip, RandomCrop, Transform};
use crate::image::Image;

/// Dataset of 4x4 grey ramps. The images at the indices in `broken` cannot be read.
struct GreyRamps {
    count: usize,
    broken: Vec<usize>,
}

impl Dataset for GreyRamps {
    fn len(&self) -> usize {
        self.count
    }

    fn label(&self, index: usize) -> usize {
        index % 3
    }

    fn identify(&self, index: usize, digest: &mut Sha256) -> Result<(), DataError> {
        digest.update(index.to_le_bytes());
        Ok(())
    }

    fn image(&self, index: usize) -> Result<Image, DataError> {
        if self.broken.contains(&index) {
            return Err(DataError::Image(OpenError {
                path: Path::new("folder").join(format!("{index}.png")),
                reason: ImageError::Empty,
            }));
        }
        let samples = (0..16).map(|pixel| (index * 16 + pixel) as u8).collect();
        Ok(Image {
            width: 4,
            height: 4,
            channels: 1,
            samples,
        })
    }
}

fn loader(workers: usize, broken: Vec<usize>) -> Loader {
    Loader {
        dataset: Arc::new(GreyRamps { count: 23, broken }),
        preprocessing: Preprocessing {
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
        division: Division::WHOLE,
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
fn batches_do_not_depend_on_the_number_of_workers() {
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
fn epochs_and_seeds_have_different_orders_of_all_images() {
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
fn targets_are_smoothed_and_samples_normalised() {
    let mut plain = loader(1, Vec::new());
    plain.mix = None;
    plain.shuffle = false;
    plain.preprocessing.transforms.clear();
    let batch = batches(&plain, 0, 0).swap_remove(0);
    let target = [0.8_f32, 0.1, 0.1];
    for (found, expected) in batch.targets[..3].iter().zip(target) {
        assert!((found - expected).abs() < 1e-6);
    }
    assert_eq!(batch.images[5], (5.0 / 255.0 - 0.5) / 0.25);
}

#[test]
fn an_unreadable_image_is_an_error_or_is_skipped() {
    let strict = loader(2, vec![7, 9]);
    let error = strict.epoch(0, 0).find_map(Result::err).expect("an error");
    let message = error.to_string();
    assert!(
        message.contains("7.png") || message.contains("9.png"),
        "{message}"
    );
    let mut lenient = strict;
    lenient.skip_bad = true;
    let batches = batches(&lenient, 0, 0);
    assert_eq!(batches.iter().map(Batch::len).sum::<usize>(), 21);
    assert_eq!(batches.iter().map(|b| b.skipped.len()).sum::<usize>(), 2);
}

#[test]
fn ranks_prepare_the_parts_of_every_mini_batch_between_them() {
    let loader = |own: Range<usize>, count| Loader {
        division: Division::Parts { own, count },
        skip_bad: true,
        ..loader(2, vec![7, 9])
    };
    for count in [1, 2, 3, 5, 7] {
        let whole = batches(&loader(0..count, count), 1, 0);
        for ranks in 1..=count {
            let by_rank: Vec<Vec<Batch>> = (0..ranks)
                .map(|rank| batches(&loader(share_of(count, rank, ranks), count), 1, 0))
                .collect();
            for (index, whole) in whole.iter().enumerate() {
                let own: Vec<&Batch> = by_rank.iter().map(|batches| &batches[index]).collect();
                let joined = |values: fn(&Batch) -> &[f32]| -> Vec<f32> {
                    own.iter()
                        .flat_map(|batch| values(batch))
                        .copied()
                        .collect()
                };
                assert_eq!(joined(|batch| &batch.images), whole.images);
                assert_eq!(joined(|batch| &batch.targets), whole.targets);
                let parts: Vec<usize> = own.iter().flat_map(|batch| batch.parts.clone()).collect();
                assert_eq!(parts, whole.parts);
                assert_eq!(parts.len(), count);
            }
        }
    }
}

#[test]
fn ranks_take_turns_in_whole_mini_batches() {
    let loader = |rank, ranks| Loader {
        division: Division::Batches { rank, ranks },
        ..loader(2, Vec::new())
    };
    let whole = batches(&loader(0, 1), 1, 0);
    for ranks in 1..=6 {
        let by_rank: Vec<Vec<Batch>> = (0..ranks)
            .map(|rank| batches(&loader(rank, ranks), 1, 0))
            .collect();
        for (index, batch) in whole.iter().enumerate() {
            assert_eq!(&by_rank[index % ranks][index / ranks], batch);
        }
    }
}

#[test]
fn a_wrong_size_error_names_the_expected_size() {
    let mut wrong = loader(1, Vec::new());
    wrong.preprocessing.shape = [1, 5, 4];
    let error = wrong.epoch(0, 0).find_map(Result::err).expect("an error");
    let text = error.to_string();
    assert!(
        text.contains("is 4x4") && text.contains("expected 5x4"),
        "{text}"
    );
}

#[test]
fn dropping_an_epoch_joins_its_threads() {
    let mut epoch = loader(4, Vec::new()).epoch(0, 0);
    assert!(epoch.next().is_some_and(|batch| batch.is_ok()));
    drop(epoch);
}
