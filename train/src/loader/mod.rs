//! Data loader: worker threads prepare mini-batches in advance. The mini-batches do not depend on
//! the number of threads.
//!
//! The random numbers of an image depend only on the seed of the run, the epoch and the index of
//! the image in the dataset. The random numbers of a mini-batch depend only on the seed, the epoch
//! and the index of the mini-batch in the epoch. Worker `b mod workers` prepares mini-batch `b`;
//! the epoch receives the mini-batches from the workers in round-robin order.

mod batch;
mod preprocess;
#[cfg(test)]
mod tests;

use std::panic;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rand::seq::SliceRandom;

pub use batch::Batch;
pub use preprocess::{Normalisation, Preprocessing, Sample};

use crate::augment::Mix;
use crate::data::{DataError, Dataset};
use crate::random::{Purpose, stream};

/// Capacity of the prefetch queue of each worker thread, in mini-batches.
const PREFETCH: usize = 2;

/// Data loader of a dataset.
#[derive(Clone)]
pub struct Loader {
    /// The labelled images.
    pub dataset: Arc<dyn Dataset>,
    /// Preprocessing of every image.
    pub preprocessing: Preprocessing,
    /// Mixup or CutMix of every mini-batch, if any.
    pub mix: Option<Mix>,
    /// Images per mini-batch; the last mini-batch of an epoch may be smaller.
    pub batch: usize,
    /// Whether the images are shuffled in every epoch.
    pub shuffle: bool,
    /// Seed of the run.
    pub seed: u64,
    /// Number of worker threads, at least 1.
    pub workers: usize,
    /// Whether unreadable images are skipped instead of being an error.
    pub skip_bad: bool,
}

impl Loader {
    /// Returns the number of mini-batches in an epoch.
    pub fn batches_per_epoch(&self) -> usize {
        self.dataset.len().div_ceil(self.batch)
    }

    /// Starts the worker threads for an epoch, from the mini-batch with the index `first`, and
    /// returns an iterator over the mini-batches. If a thread cannot be started, its mini-batches are
    /// an error.
    pub fn epoch(&self, epoch: u64, first: usize) -> EpochBatches {
        let order = Arc::new(self.order(epoch));
        let workers = self.workers.clamp(1, self.batches_per_epoch().max(1));
        let threads = (0..workers).map(|worker| {
            let (sender, receiver) = sync_channel(PREFETCH);
            let (loader, order) = (self.clone(), Arc::clone(&order));
            let indices =
                (first..loader.batches_per_epoch()).filter(move |b| b % workers == worker);
            let failed = sender.clone();
            let thread = thread::Builder::new()
                .spawn(move || loader.run_worker(epoch, &order, indices, &sender));
            if let Err(source) = &thread {
                let source = std::io::Error::new(source.kind(), source.to_string());
                // The queue has room, and its receiver exists.
                let _ = failed.send(Err(DataError::Thread { source }));
            }
            Worker {
                batches: Some(receiver),
                thread: thread.ok(),
            }
        });
        EpochBatches {
            workers: threads.collect(),
            next: first,
            end: self.batches_per_epoch(),
        }
    }

    /// Returns the dataset indices in the order of the epoch.
    fn order(&self, epoch: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.dataset.len()).collect();
        if self.shuffle {
            order.shuffle(&mut stream(self.seed, Purpose::Order, [epoch, 0]));
        }
        order
    }

    /// Prepares the mini-batches with the given indices and sends them to the epoch.
    fn run_worker(
        &self,
        epoch: u64,
        order: &[usize],
        indices: impl Iterator<Item = usize>,
        sender: &SyncSender<Result<Batch, DataError>>,
    ) {
        for index in indices {
            let first = index * self.batch;
            let end = (first + self.batch).min(order.len());
            let batch = self.prepare(epoch, index, &order[first..end]);
            let failed = batch.is_err();
            // Sending fails once the epoch has been dropped.
            if sender.send(batch).is_err() || failed {
                return;
            }
        }
    }

    /// Prepares the mini-batch with the index `batch_index` from the images at `indices`.
    fn prepare(
        &self,
        epoch: u64,
        batch_index: usize,
        indices: &[usize],
    ) -> Result<Batch, DataError> {
        let Preprocessing { shape, classes, .. } = self.preprocessing;
        let [channels, height, width] = shape;
        let mut batch = Batch {
            images: Vec::with_capacity(indices.len() * channels * height * width),
            shape: [0, channels, height, width],
            targets: Vec::with_capacity(indices.len() * classes),
            labels: Vec::with_capacity(indices.len()),
            skipped: Vec::new(),
        };
        for &index in indices {
            let mut random = stream(self.seed, Purpose::Augmentation, [epoch, index as u64]);
            let image = match self.dataset.image(index) {
                Ok(image) => image,
                Err(error @ DataError::Image(_)) if self.skip_bad => {
                    batch.skipped.push(error.to_string());
                    continue;
                }
                Err(error) => return Err(error),
            };
            let label = self.dataset.label(index);
            let Sample { samples, target } =
                self.preprocessing.apply(image, label, index, &mut random)?;
            batch.images.extend(samples);
            batch.targets.extend(target);
            batch.labels.push(label);
            batch.shape[0] += 1;
        }
        if let Some(mix) = self.mix.as_ref().filter(|_| !batch.is_empty()) {
            let mut random = stream(self.seed, Purpose::Mixing, [epoch, batch_index as u64]);
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

/// Worker thread and its prefetch queue.
struct Worker {
    batches: Option<Receiver<Result<Batch, DataError>>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Closes the queue and joins the thread. A panic of the thread is propagated.
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

/// Iterator over the mini-batches of one epoch, in order.
pub struct EpochBatches {
    workers: Vec<Worker>,
    next: usize,
    end: usize,
}

impl Iterator for EpochBatches {
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
