//! Data loader: worker threads prepare mini-batches in advance. The mini-batches do not depend on
//! the number of threads.
//!
//! The random numbers of an image depend only on the seed of the run, the epoch and the index of
//! the image in the dataset. The random numbers of a mini-batch depend only on the seed, the epoch
//! and the index of the mini-batch in the epoch. The workers take turns in preparing mini-batches, and
//! the epoch receives the mini-batches from the workers in the same order.

mod batch;
mod preprocess;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::panic;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rand::seq::SliceRandom;

pub use batch::Batch;
pub use preprocess::{Normalisation, Preprocessing, Sample};

use crate::augment::Mix;
use crate::cluster::share_of;
use crate::data::{DataError, Dataset};
use crate::random::{Purpose, stream};

/// Capacity of the prefetch queue of each worker thread, in mini-batches.
const PREFETCH: usize = 2;

/// Parts or mini-batches of an epoch that a process prepares.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Division {
    /// The parts `own` of every mini-batch, which has `count` parts. The parts have the same number of images, up
    /// to one, before unreadable images are skipped.
    Parts {
        /// The parts.
        own: Range<usize>,
        /// Number of parts.
        count: usize,
    },
    /// The mini-batches whose index modulo `ranks` is `rank`.
    Batches {
        /// The remainder.
        rank: usize,
        /// The divisor.
        ranks: usize,
    },
}

impl Division {
    /// Every mini-batch as one part.
    pub const WHOLE: Self = Self::Parts {
        own: 0..1,
        count: 1,
    };

    fn parts(&self) -> (Range<usize>, usize) {
        match self {
            Self::Parts { own, count } => (own.clone(), *count),
            Self::Batches { .. } => (0..1, 1),
        }
    }

    fn has(&self, batch: usize) -> bool {
        match *self {
            Self::Parts { .. } => true,
            Self::Batches { rank, ranks } => batch % ranks == rank,
        }
    }
}

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
    /// Parts or mini-batches that this process prepares.
    pub division: Division,
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
    /// returns an iterator over the mini-batches of this process. If a thread cannot be started, its
    /// mini-batches are an error.
    pub fn epoch(&self, epoch: u64, first: usize) -> EpochBatches {
        let order = Arc::new(self.order(epoch));
        let own = (first..self.batches_per_epoch()).filter(|&batch| self.division.has(batch));
        let own: Vec<usize> = own.collect();
        let workers = self.workers.clamp(1, own.len().max(1));
        let threads = (0..workers).map(|worker| {
            let (sender, receiver) = sync_channel(PREFETCH);
            let (loader, order) = (self.clone(), Arc::clone(&order));
            let indices: Vec<usize> = own.iter().copied().skip(worker).step_by(workers).collect();
            let failed = sender.clone();
            let thread = thread::Builder::new()
                .spawn(move || loader.run_worker(epoch, &order, &indices, &sender));
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
            next: 0,
            end: own.len(),
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
        indices: &[usize],
        sender: &SyncSender<Result<Batch, DataError>>,
    ) {
        for &index in indices {
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
            parts: Vec::new(),
            skipped: Vec::new(),
        };
        let (own, count) = self.division.parts();
        for part in own {
            let first = batch.len();
            for &index in &indices[share_of(indices.len(), part, count)] {
                self.append(epoch, index, &mut batch)?;
            }
            batch.parts.push(batch.len() - first);
            if let Some(mix) = self.mix.as_ref().filter(|_| first < batch.len()) {
                let part = (batch_index * count + part) as u64;
                let mut random = stream(self.seed, Purpose::Mixing, [epoch, part]);
                let shape = [batch.len() - first, channels, height, width];
                let image = channels * height * width;
                mix.apply(
                    &mut batch.images[first * image..],
                    shape,
                    &mut batch.targets[first * classes..],
                    &mut random,
                );
            }
        }
        Ok(batch)
    }

    /// Appends the image with the dataset index `index`, or why it was skipped.
    fn append(&self, epoch: u64, index: usize, batch: &mut Batch) -> Result<(), DataError> {
        let mut random = stream(self.seed, Purpose::Augmentation, [epoch, index as u64]);
        let image = match self.dataset.image(index) {
            Ok(image) => image,
            Err(error @ DataError::Image(_)) if self.skip_bad => {
                batch.skipped.push(error.to_string());
                return Ok(());
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
        Ok(())
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
