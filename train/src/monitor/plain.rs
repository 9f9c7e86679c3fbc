//! Lines of text.

use std::io::Write;
use std::time::{Duration, Instant};

use super::{About, Monitor};
use crate::metrics::Means;
use crate::run::{EpochRecord, StepRecord};

/// The time between two lines within an epoch.
const PAUSE: Duration = Duration::from_secs(10);

/// Tells a run in lines: one for each epoch, and one now and then in long ones. An output that takes
/// no more lines is no reason to end a run.
pub struct Plain<W> {
    out: W,
    epochs: usize,
    images: usize,
    told: Instant,
}

impl<W: Write> Plain<W> {
    /// Writes the lines to `out`.
    pub fn new(out: W) -> Self {
        Self {
            out,
            epochs: 0,
            images: 0,
            told: Instant::now(),
        }
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}");
        let _ = self.out.flush();
        self.told = Instant::now();
    }
}

impl<W: Write> Monitor for Plain<W> {
    fn begin(&mut self, about: &About) {
        self.epochs = about.epochs;
        let &About {
            train_images,
            validation_images,
            first_epoch,
            epochs,
        } = about;
        let from = match first_epoch {
            1 => String::new(),
            later => format!(", from epoch {later}"),
        };
        self.line(&format!(
            "{train_images} training and {validation_images} validation images, {epochs} epochs{from}"
        ));
    }

    fn train(&mut self, _epoch: usize, images: usize) {
        self.images = images;
    }

    fn step(&mut self, record: &StepRecord, images: usize, means: Option<Means>) {
        if self.told.elapsed() < PAUSE {
            return;
        }
        let (loss, top1) = means.map_or((record.loss, f64::NAN), |means| (means.loss, means.top1));
        let text = format!(
            "epoch {}/{}  {images}/{} images  loss {loss:.4}  top-1 {:.2} %  lr {:.3e}",
            record.epoch,
            self.epochs,
            self.images,
            100.0 * top1,
            record.rate
        );
        self.line(&text);
    }

    fn validate(&mut self, _epoch: usize, _images: usize) {}

    fn validated(&mut self, _images: usize) {}

    fn epoch(&mut self, record: &EpochRecord, is_best: bool) {
        let EpochRecord {
            epoch,
            train,
            validation,
            seconds,
            ..
        } = record;
        let text = format!(
            "epoch {epoch}/{}  training loss {:.4} top-1 {:.2} %  validation loss {:.4} top-1 {:.2} %{}  {seconds:.1} s",
            self.epochs,
            train.loss,
            100.0 * train.top1,
            validation.loss,
            100.0 * validation.top1,
            if is_best { " (best)" } else { "" },
        );
        self.line(&text);
    }

    fn skipped(&mut self, error: &str) {
        self.line(&format!("skipped: {error}"));
    }

    fn end(&mut self) {}
}
