//! The monitor interface.

use crate::metrics::MetricMeans;
use crate::records::{EpochRecord, StepRecord};

/// Size of a run, reported at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunInfo {
    /// Number of epochs of the whole run.
    pub epochs: usize,
    /// Epoch in which the run starts or resumes, from 1.
    pub first_epoch: usize,
    /// Number of training images.
    pub train_images: usize,
    /// Number of validation images.
    pub validation_images: usize,
}

/// Receives the progress of a run.
///
/// The order of the calls is: [`start_run`](Self::start_run); then, for each epoch,
/// [`start_training`](Self::start_training), [`step`](Self::step) after every step,
/// [`start_validation`](Self::start_validation), [`validated`](Self::validated) after every
/// mini-batch and [`end_epoch`](Self::end_epoch); finally [`end_run`](Self::end_run).
pub trait Monitor {
    /// The run starts or resumes.
    fn start_run(&mut self, info: &RunInfo);

    /// The training of `epoch`, from 1, starts; the epoch has `images` images.
    fn start_training(&mut self, epoch: usize, images: usize);

    /// A step is done. `images` is the number of images of the epoch so far, and `means` are their
    /// mean metrics.
    fn step(&mut self, record: &StepRecord, images: usize, means: Option<MetricMeans>);

    /// The validation of `epoch`, from 1, starts; it has `images` images.
    fn start_validation(&mut self, epoch: usize, images: usize);

    /// `images` images of the validation are done.
    fn validated(&mut self, images: usize);

    /// An epoch and its validation are done. `is_best` is true if the accuracy is the highest so
    /// far.
    fn end_epoch(&mut self, record: &EpochRecord, is_best: bool);

    /// An unreadable image was skipped; `error` is the error message.
    fn skipped(&mut self, error: &str);

    /// Something that does not stop the run needs the attention of the user. May be the first call.
    fn warning(&mut self, message: &str);

    /// The run is finished or stopped.
    fn end_run(&mut self);
}
