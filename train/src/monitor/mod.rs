//! Who is told how a run goes.

mod dashboard;
mod plain;

pub use dashboard::Dashboard;
pub use plain::Plain;

use crate::metrics::Means;
use crate::run::{EpochRecord, StepRecord};

/// What a run is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// Epochs in all.
    pub epochs: usize,
    /// The epoch that it begins in, from 1.
    pub first_epoch: usize,
    /// Images of an epoch.
    pub train_images: usize,
    /// Images that each epoch is judged by.
    pub validation_images: usize,
}

/// Is told how a run goes, in this order: the beginning; for each epoch its training with every step,
/// its validation, what came out; the end.
pub trait Monitor {
    /// The run begins or goes on.
    fn begin(&mut self, about: &About);

    /// The training of `epoch`, from 1, with so many images begins.
    fn train(&mut self, epoch: usize, images: usize);

    /// A step is done, so many images of the epoch are behind it, which scored so on the whole.
    fn step(&mut self, record: &StepRecord, images: usize, means: Option<Means>);

    /// The validation of `epoch`, from 1, with so many images begins.
    fn validate(&mut self, epoch: usize, images: usize);

    /// So many images are validated.
    fn validated(&mut self, images: usize);

    /// An epoch is over; `is_best` where none before had a higher accuracy.
    fn epoch(&mut self, record: &EpochRecord, is_best: bool);

    /// An image was left out, with what is wrong with it.
    fn skipped(&mut self, error: &str);

    /// The run is over or left.
    fn end(&mut self);
}
