//! Batches, made ahead of time by threads, the same whatever their number.
//!
//! Everything that is random about an image depends on the run's seed, the epoch and the image's
//! place in the dataset, and everything about a batch on its place in the epoch. Batch `b` is made by
//! thread `b mod threads`; the epoch takes them from the threads in turn.

mod batch;
mod prepare;
#[cfg(test)]
mod tests;

use std::panic;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rand::seq::SliceRandom;

pub use batch::Batch;
pub use prepare::{Normalisation, Preparation, Prepared};

use crate::augment::Mix;
use crate::data::{DataError, Dataset};
use crate::random::{Purpose, stream};

/// Batches that each thread has ready before they are asked for.
const AHEAD: usize = 2;

/// How batches are made from a dataset.
#[derive(Clone)]
pub struct Loader {
    /// The images.
    pub dataset: Arc<dyn Dataset>,
    /// What becomes of each.
    pub preparation: Preparation,
    /// How images are mixed with each other, if they are.
    pub mix: Option<Mix>,
    /// Images in a batch; the last one of an epoch has the rest.
    pub batch: usize,
    /// Whether each epoch has an order of its own, or the dataset's.
    pub shuffle: bool,
    /// The run's seed.
    pub seed: u64,
    /// Threads that make batches, at least 1.
    pub workers: usize,
    /// Whether images that cannot be read are left out, instead of ending the run.
    pub skip_bad: bool,
}

impl Loader {
    /// Batches in an epoch.
    pub fn batches(&self) -> usize {
        self.dataset.len().div_ceil(self.batch)
    }

    /// The batches of an epoch from the one numbered `first` on.
    pub fn epoch(&self, epoch: u64, first: usize) -> Epoch {
        let order = Arc::new(self.order(epoch));
        let workers = self.workers.clamp(1, self.batches().max(1));
        let threads = (0..workers).map(|worker| {
            let (sender, receiver) = sync_channel(AHEAD);
            let (loader, order) = (self.clone(), Arc::clone(&order));
            let numbers = (first..loader.batches()).filter(move |b| b % workers == worker);
            let thread = thread::spawn(move || loader.work(epoch, &order, numbers, &sender));
            Worker {
                batches: Some(receiver),
                thread: Some(thread),
            }
        });
        Epoch {
            workers: threads.collect(),
            next: first,
            end: self.batches(),
        }
    }

    /// The dataset's indices in the order of this epoch.
    fn order(&self, epoch: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.dataset.len()).collect();
        if self.shuffle {
            order.shuffle(&mut stream(self.seed, Purpose::Order, [epoch, 0]));
        }
        order
    }

    fn work(
        &self,
        epoch: u64,
        order: &[usize],
        numbers: impl Iterator<Item = usize>,
        sender: &SyncSender<Result<Batch, DataError>>,
    ) {
        for number in numbers {
            let first = number * self.batch;
            let end = (first + self.batch).min(order.len());
            let batch = self.make(epoch, number, &order[first..end]);
            let failed = batch.is_err();
            // Nobody listens once the epoch is dropped.
            if sender.send(batch).is_err() || failed {
                return;
            }
        }
    }

    fn make(&self, epoch: u64, number: usize, indices: &[usize]) -> Result<Batch, DataError> {
        let Preparation { shape, classes, .. } = self.preparation;
        let [channels, height, width] = shape;
        let mut batch = Batch {
            images: Vec::with_capacity(indices.len() * channels * height * width),
            shape: [0, channels, height, width],
            targets: Vec::with_capacity(indices.len() * classes),
            labels: Vec::with_capacity(indices.len()),
            skipped: Vec::new(),
        };
        for &index in indices {
            let place = [epoch, index as u64];
            let mut random = stream(self.seed, Purpose::Augmentation, place);
            let picture = match self.dataset.picture(index) {
                Ok(picture) => picture,
                Err(error @ DataError::Image(_)) if self.skip_bad => {
                    batch.skipped.push(error.to_string());
                    continue;
                }
                Err(error) => return Err(error),
            };
            let label = self.dataset.label(index);
            let Prepared { samples, target } =
                self.preparation.apply(picture, label, index, &mut random)?;
            batch.images.extend(samples);
            batch.targets.extend(target);
            batch.labels.push(label);
            batch.shape[0] += 1;
        }
        if let Some(mix) = self.mix.as_ref().filter(|_| !batch.is_empty()) {
            let mut random = stream(self.seed, Purpose::Mixing, [epoch, number as u64]);
            mix.apply(
                &mut batch.images,
                batch.shape,
                &mut batch.targets,
                &mut random,
            );
        }
        Ok(batch)
    }
}

struct Worker {
    batches: Option<Receiver<Result<Batch, DataError>>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Waits for the thread's end; a panic of its goes on here.
    fn join(&mut self) {
        self.batches = None;
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join)
            && !thread::panicking()
        {
            panic::resume_unwind(panic);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.join();
    }
}

/// The batches of one epoch, in their order.
pub struct Epoch {
    workers: Vec<Worker>,
    next: usize,
    end: usize,
}

impl Iterator for Epoch {
    type Item = Result<Batch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.end {
            return None;
        }
        let count = self.workers.len();
        let worker = &mut self.workers[self.next % count];
        self.next += 1;
        match worker.batches.as_ref()?.recv() {
            Ok(batch) => Some(batch),
            Err(_) => {
                worker.join();
                None
            }
        }
    }
}
